using k8s;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Puts a taint on a node.</summary>
internal sealed class TaintNode(Clusters clusters, HeldValues held)
    : NodeChange<TaintNodeParameters, V1Taint?>(clusters, held, "kubernetes.taintNode", "Puts a taint on a node, which keeps pods away that do not tolerate it.")
{
    // With noExecute it stops what runs, and no undoing starts that again. Where an alert says the effect, it may be that one.
    public override bool AlwaysAsks(JsonElement with) => WithText.Choice(with, "effect", TaintEffect.NoSchedule) is null or TaintEffect.NoExecute;

    protected override NodeTexts Texts(TaintNodeParameters parameters, string cluster)
    {
        var taint = Texts(New(parameters));
        return new(
            $"Taint node {parameters.Node} on cluster {cluster} with {taint}{(parameters.Effect == TaintEffect.NoExecute ? ": pods that do not tolerate it are stopped at once, whatever disruption budgets say" : $": new pods that do not tolerate it go elsewhere; {PodRoom.NotLookedAt}")}.",
            $"Tainted node {parameters.Node} with {taint}.",
            $"Node {parameters.Node} had the taint {taint}",
            "taint");
    }

    protected override bool Keep(TaintNodeParameters parameters) => parameters.Keep;

    protected override async Task<(string Words, IReadOnlyList<string> Alone)> CostAsync(TaintNodeParameters parameters, CancellationToken cancellationToken)
    {
        if (parameters.Effect != TaintEffect.NoExecute)
        {
            return ("", []);
        }

        var (taint, there) = (New(parameters), await Clusters.Nodes(parameters.Cluster).PodsAsync(parameters.Node, cancellationToken));
        List<V1Pod> stopped = [.. there.Where(pod => !PodRoom.HasEnded(pod) && !(pod.Spec.Tolerations ?? []).Any(one => Tolerates(one, taint)))];
        // By themselves they tolerate only what Kubernetes says of a node.
        var ofDaemonSets = stopped.FindAll(pod => PodReplacement.Controller(pod)?.Kind == "DaemonSet").ConvertAll(PodRoom.NameOf);
        var leaving = stopped.FindAll(PodRoom.Moves);
        var words = await PodRoom.CostAsync(Clusters.Pods(parameters.Cluster, Role), parameters.Node, leaving, ofDaemonSets.Count == 0 ? " None runs there now." : "", cancellationToken)
            + (ofDaemonSets.Count == 0 ? "" : $" These of daemon sets are stopped, and not started again while the taint is there: {CountText.Names(ofDaemonSets, PodRoom.MostNamed)}.");
        return (words, [.. PodRoom.Alone(leaving).Order(StringComparer.Ordinal)]);
    }

    protected override NodeUndo WithFormer(V1Node? node, NodeUndo undo, TaintNodeParameters parameters)
    {
        var taint = New(parameters);
        var former = Find(node, Key(taint));
        return undo with { Taint = Key(taint), Value = Value(taint), Former = former, Was = former is not null && Value(former) == Value(taint) };
    }

    protected override HeldValue Held(NodeUndo undo, string cluster) => new($"taint {undo.Taint} of node {undo.Uid}", $"The taint {undo.Taint} of node {undo.Node} on cluster {cluster}");

    protected override V1Taint? Read(V1Node node, NodeUndo undo) => Find(node, undo.Taint!);

    protected override V1Taint? Before(NodeUndo undo) => undo.Former;

    protected override V1Taint? After(NodeUndo undo) => undo.Was ? undo.Former : new() { Key = undo.Taint!.Split(':')[0], Value = undo.Value, Effect = undo.Taint.Split(':')[1] };

    protected override bool AreSame(V1Taint? one, V1Taint? other) => one is null ? other is null : other is not null && Value(one) == Value(other);

    // The list of taints is replaced as a whole: the version of the node that was read guards it.
    protected override JsonObject Write(V1Node node, NodeUndo undo, V1Taint? state)
    {
        IEnumerable<V1Taint> others = (node.Spec?.Taints ?? []).Where(one => Key(one) != undo.Taint);
        return new() { ["taints"] = JsonNode.Parse(KubernetesJson.Serialize(state is null ? others.ToList() : [.. others, state])) };
    }

    protected override (string Will, string Did) BackTexts(NodeUndo undo, V1Taint? before) => before is null
        ? ($"Take the taint {Texts(After(undo)!)} off node {undo.Node}{Stopped(undo)}", $"Took the taint {Texts(After(undo)!)} off node {undo.Node}")
        : ($"Give the taint {Texts(before)} back to node {undo.Node}{Stopped(undo)}", $"Gave the taint {Texts(before)} back to node {undo.Node}");

    protected override string NowText(NodeUndo undo, V1Taint? now) => now is null ? $"has no taint {undo.Taint}" : $"has the taint {Texts(now)}";

    private static string Stopped(NodeUndo undo) => undo.Taint!.EndsWith($":{TaintEffect.NoExecute}", StringComparison.Ordinal) ? "; what was stopped is not brought back" : "";

    private static V1Taint New(TaintNodeParameters parameters) => new() { Key = parameters.Key, Value = parameters.Value, Effect = parameters.Effect.ToString() };

    private static string Key(V1Taint taint) => $"{taint.Key}:{taint.Effect}";

    private static string? Value(V1Taint taint) => string.IsNullOrEmpty(taint.Value) ? null : taint.Value;

    private static string Texts(V1Taint taint) => $"{taint.Key}{(Value(taint) is { } value ? $"={value}" : "")}:{taint.Effect}";

    /// <seealso href="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"/>
    private static bool Tolerates(V1Toleration one, V1Taint taint) => one.TolerationSeconds is null
        && (string.IsNullOrEmpty(one.Effect) || one.Effect == taint.Effect)
        && (one.OperatorProperty == "Exists" ? string.IsNullOrEmpty(one.Key) || one.Key == taint.Key : one.Key == taint.Key && (one.Value ?? "") == (taint.Value ?? ""));

    private static V1Taint? Find(V1Node? node, string key) => node?.Spec?.Taints?.FirstOrDefault(one => Key(one) == key);
}

public sealed record TaintNodeParameters : NodeParameters
{
    [Required, TextPattern("^([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", "the key of a taint: at most 63 letters, digits, dashes, underscores and dots, if need be behind a domain and a slash")]
    [Description("The taint's key, for example gpu-fault.")]
    public required string Key { get; init; }

    [TextPattern("^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", "at most 63 letters, digits, dashes, underscores and dots, beginning and ending with a letter or digit")]
    [Description("Its value, if it has one.")]
    public string? Value { get; init; }

    [Description("What it does to pods that do not tolerate it.")]
    public TaintEffect Effect { get; init; } = TaintEffect.NoSchedule;

    [Description("It stays when the mitigation is taken back or did not help.")]
    public bool Keep { get; init; }
}

public enum TaintEffect { NoSchedule, PreferNoSchedule, NoExecute }
