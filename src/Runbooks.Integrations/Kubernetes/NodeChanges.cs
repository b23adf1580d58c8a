using k8s;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Something about where new pods may go, which is changed back as long as nobody else has changed it.</summary>
internal abstract class NodeChange<TParameters>(Clusters clusters, string name, string summary) : RunbookAction<TParameters>(name, summary)
    where TParameters : NodeParameters
{
    private const int MaxTries = 5;

    public override string Role => ClusterNodes.Role;

    public override bool Reversible => true;

    public override Reversal ReversalOf(JsonElement with) => Reversals.KeptIn(with);

    protected Clusters Clusters => clusters;

    protected abstract NodeTexts Texts(TParameters parameters, string cluster);

    protected abstract string UndoWords(V1Node? node, TParameters parameters);

    protected abstract bool IsThere(V1Node node, TParameters parameters);

    protected override async Task<Preparation> PrepareAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        var words = Texts(parameters, nodes.Cluster);
        var node = await nodes.FindAsync(parameters.Node, cancellationToken);
        var was = node is not null && IsThere(node, parameters);
        var keep = Keep(parameters);
        return new Preparation
        {
            PlannedEffect = words.Will,
            Identity = node?.Metadata.Uid,
            IsSo = was,
            Undo = was ? "Left as it is: it was so before." : keep ? "Left to a person: it stays until somebody takes it off." : UndoWords(node, parameters),
            UndoneByHand = keep && !was,
            UndoState = JsonSerializer.SerializeToElement(Complete(new NodeUndo(parameters.Cluster, parameters.Node, node?.Metadata.Uid ?? "", was, keep), node, parameters)),
            Refusal = node is null ? $"There is no node {parameters.Node} on cluster {nodes.Cluster}." : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Nodes(parameters.Cluster).CheckPermissionsAsync(parameters.Node, "change", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(TParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        var words = Texts(parameters, nodes.Cluster);
        return await ChangeAsync(nodes, parameters.Node, preparation.Identity, node => IsThere(node, parameters) ? null : Put(node, parameters), words.Verb, cancellationToken) switch
        {
            true => new ActionResult(words.Did),
            false => new ActionResult(words.WasSo),
            null => throw new StepRefusedException($"Node {parameters.Node} is no longer the one that was approved. Nothing was changed."),
        };
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var undo = undoState.Deserialize<NodeUndo>()!;
        var nodes = clusters.Nodes(undo.Cluster);
        if (undo.Was)
        {
            return new ActionResult($"Left node {undo.Node} as it was before.") { FoundSo = true };
        }

        if (undo.Keep)
        {
            return new ActionResult($"Left node {undo.Node} as it is, as the runbook says; change it back by hand.");
        }

        return await ChangeAsync(nodes, undo.Node, undo.Uid, node => Remove(node, undo), "change back", cancellationToken) switch
        {
            true => new ActionResult(UndoneWords(undo)),
            false => new ActionResult($"Node {undo.Node} had been changed back already."),
            null => new ActionResult($"Node {undo.Node} is gone or another by now, so there is nothing to change back."),
        };
    }

    /// <summary>Whether it stays when the rest is taken back.</summary>
    protected virtual bool Keep(TParameters parameters) => false;

    /// <summary>Adds what undoing needs to know besides.</summary>
    protected virtual NodeUndo Complete(NodeUndo undo, V1Node? node, TParameters parameters) => undo;

    /// <returns>The fields of the spec that make it so.</returns>
    protected abstract JsonObject Put(V1Node node, TParameters parameters);

    /// <returns>The fields that take it off; null when it is not there.</returns>
    protected abstract JsonObject? Remove(V1Node node, NodeUndo undo);

    protected abstract string UndoneWords(NodeUndo undo);

    /// <summary>Kubelets write to their nodes all the time, so a change that came in between is read and tried again.</summary>
    /// <returns>True when it was changed, false when there was nothing to change, null when it is another node by now.</returns>
    private static async Task<bool?> ChangeAsync(
        ClusterNodes nodes, string name, string? uid, Func<V1Node, JsonObject?> change, string verb, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxTries; attempt++)
        {
            if (await nodes.FindAsync(name, cancellationToken) is not { } node || node.Metadata.Uid != uid)
            {
                return null;
            }

            if (change(node) is not { } spec)
            {
                return false;
            }

            if (await nodes.PatchAsync(node, spec, verb, cancellationToken))
            {
                return true;
            }
        }

        throw new ClusterException($"Node {name} on cluster '{nodes.Cluster}' was changed by others each time it was about to be changed.");
    }
}

internal sealed record NodeTexts(string Will, string Did, string WasSo, string Verb);

/// <param name="Was">It was so before, so it stays.</param>
/// <param name="Keep">It stays whatever is taken back.</param>
/// <param name="Taint"><c>key:effect</c>, for a taint: a node has at most one of these.</param>
/// <param name="Value">The value that it was put on with; null for none.</param>
/// <param name="Former">The taint of that key and effect that it took the place of.</param>
internal sealed record NodeUndo(string? Cluster, string Node, string Uid, bool Was, bool Keep = false, string? Taint = null, string? Value = null, V1Taint? Former = null);

/// <summary>Keeps new pods away from a node.</summary>
internal sealed class CordonNode(Clusters clusters)
    : NodeChange<CordonNodeParameters>(clusters, "kubernetes.cordonNode", "Cordons a node: no new pods are scheduled on it, and those that run go on.")
{
    protected override NodeTexts Texts(CordonNodeParameters parameters, string cluster) => new(
        $"Cordon node {parameters.Node} on cluster {cluster}: no new pods are scheduled on it; those that run go on.",
        $"Cordoned node {parameters.Node}.",
        $"Node {parameters.Node} was cordoned already.",
        "cordon");

    protected override string UndoWords(V1Node? node, CordonNodeParameters parameters) => $"Uncordon node {parameters.Node}.";

    protected override bool IsThere(V1Node node, CordonNodeParameters parameters) => new NodeSigns(node).IsCordoned;

    protected override bool Keep(CordonNodeParameters parameters) => parameters.Keep;

    protected override JsonObject Put(V1Node node, CordonNodeParameters parameters) => new() { ["unschedulable"] = true };

    protected override JsonObject? Remove(V1Node node, NodeUndo undo) => new NodeSigns(node).IsCordoned ? new JsonObject { ["unschedulable"] = null } : null;

    protected override string UndoneWords(NodeUndo undo) => $"Uncordoned node {undo.Node}.";
}

public sealed record CordonNodeParameters : NodeParameters
{
    [Description("It stays cordoned when the mitigation is taken back or did not help: a broken machine must not get new pods.")]
    public bool Keep { get; init; }
}

/// <summary>Lets new pods onto a node again.</summary>
internal sealed class UncordonNode(Clusters clusters)
    : NodeChange<UncordonNodeParameters>(clusters, "kubernetes.uncordonNode", "Uncordons a node: new pods may be scheduled on it again.")
{
    protected override NodeTexts Texts(UncordonNodeParameters parameters, string cluster) => new(
        $"Uncordon node {parameters.Node} on cluster {cluster}: new pods may be scheduled on it again.",
        $"Uncordoned node {parameters.Node}.",
        $"Node {parameters.Node} was not cordoned.",
        "uncordon");

    protected override string UndoWords(V1Node? node, UncordonNodeParameters parameters) => $"Cordon node {parameters.Node} again.";

    protected override bool IsThere(V1Node node, UncordonNodeParameters parameters) => !new NodeSigns(node).IsCordoned;

    protected override JsonObject Put(V1Node node, UncordonNodeParameters parameters) => new() { ["unschedulable"] = null };

    protected override JsonObject? Remove(V1Node node, NodeUndo undo) => new NodeSigns(node).IsCordoned ? null : new JsonObject { ["unschedulable"] = true };

    protected override string UndoneWords(NodeUndo undo) => $"Cordoned node {undo.Node} again.";
}

public sealed record UncordonNodeParameters : NodeParameters;

/// <summary>Puts a taint on a node.</summary>
internal sealed class TaintNode(Clusters clusters)
    : NodeChange<TaintNodeParameters>(clusters, "kubernetes.taintNode", "Puts a taint on a node, which keeps pods away that do not tolerate it.")
{
    protected override NodeTexts Texts(TaintNodeParameters parameters, string cluster)
    {
        var taint = Texts(New(parameters));
        return new(
            $"Taint node {parameters.Node} on cluster {cluster} with {taint}{(parameters.Effect == TaintEffect.NoExecute ? ": pods that do not tolerate it are stopped at once" : ": new pods that do not tolerate it go elsewhere")}.",
            $"Tainted node {parameters.Node} with {taint}.",
            $"Node {parameters.Node} had the taint {taint} already.",
            "taint");
    }

    protected override string UndoWords(V1Node? node, TaintNodeParameters parameters) => Former(node, parameters) is { } former
        ? $"Give the taint {Texts(former)} back to node {parameters.Node}."
        : $"Take the taint {Texts(New(parameters))} off node {parameters.Node}.";

    protected override bool IsThere(V1Node node, TaintNodeParameters parameters) => Find(node, Key(New(parameters))) is { } one && Value(one) == parameters.Value;

    protected override bool Keep(TaintNodeParameters parameters) => parameters.Keep;

    protected override NodeUndo Complete(NodeUndo undo, V1Node? node, TaintNodeParameters parameters) =>
        undo with { Taint = Key(New(parameters)), Value = parameters.Value, Former = Former(node, parameters) };

    // The list of taints is replaced as a whole: the version of the node that was read guards it.
    protected override JsonObject Put(V1Node node, TaintNodeParameters parameters) => All([.. Others(node, Key(New(parameters))), New(parameters)]);

    // One with another value is somebody else's by now, unless it is the one that was there before.
    protected override JsonObject? Remove(V1Node node, NodeUndo undo) => Find(node, undo.Taint!) switch
    {
        { } one when Value(one) == undo.Value => All(undo.Former is null ? Others(node, undo.Taint!) : [.. Others(node, undo.Taint!), undo.Former]),
        { } other when undo.Former is null || Value(other) != Value(undo.Former) => throw new ChangedSinceException($"Left the taint {Texts(other)} on node {undo.Node}: somebody else has changed it since."),
        _ => null,
    };

    protected override string UndoneWords(NodeUndo undo) => undo.Former is { } former
        ? $"Gave the taint {Texts(former)} back to node {undo.Node}."
        : $"Took the taint {undo.Taint} off node {undo.Node}.";

    private static V1Taint New(TaintNodeParameters parameters) => new() { Key = parameters.Key, Value = parameters.Value, Effect = parameters.Effect.ToString() };

    private static string Key(V1Taint taint) => $"{taint.Key}:{taint.Effect}";

    private static string? Value(V1Taint taint) => string.IsNullOrEmpty(taint.Value) ? null : taint.Value;

    private static string Texts(V1Taint taint) => $"{taint.Key}{(Value(taint) is { } value ? $"={value}" : "")}:{taint.Effect}";

    private static V1Taint? Find(V1Node? node, string key) => node?.Spec?.Taints?.FirstOrDefault(one => Key(one) == key);

    private static V1Taint? Former(V1Node? node, TaintNodeParameters parameters) => Find(node, Key(New(parameters)));

    private static IReadOnlyList<V1Taint> Others(V1Node node, string key) => [.. (node.Spec?.Taints ?? []).Where(one => Key(one) != key)];

    private static JsonObject All(IReadOnlyList<V1Taint> taints) => new() { ["taints"] = JsonNode.Parse(KubernetesJson.Serialize(taints)) };
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
