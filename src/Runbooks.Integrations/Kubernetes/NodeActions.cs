using k8s;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class TaintNode(Clusters clusters, HeldValues held)
    : NodeChange<TaintNodeParameters, V1Taint?>(
        clusters, held, "kubernetes.taintNode", "Puts a taint on a node, which keeps pods away that do not tolerate it.")
{
    // With noExecute it stops what runs, and no undoing starts that again. An effect that comes from an alert may be that one.
    public override bool AlwaysAsks(JsonElement with) =>
        WithText.Choice(with, "effect", TaintEffect.NoSchedule) is null or TaintEffect.NoExecute;

    protected override NodeTexts Texts(TaintNodeParameters parameters, string cluster)
    {
        var taint = Texts(New(parameters));
        var effect = parameters.Effect == TaintEffect.NoExecute
            ? "pods that do not tolerate it are stopped at once, whatever disruption budgets say"
            : $"new pods that do not tolerate it go elsewhere; {PodRoom.NotLookedAt}";
        return new(
            $"Taint node {parameters.Node} on cluster {cluster} with {taint}: {effect}.",
            $"Tainted node {parameters.Node} with {taint}.",
            $"Node {parameters.Node} had the taint {taint}",
            "taint");
    }

    protected override bool Keep(TaintNodeParameters parameters) => parameters.Keep;

    protected override async Task<(string Words, IReadOnlyList<string> Alone)> CostAsync(
        TaintNodeParameters parameters, CancellationToken cancellationToken)
    {
        if (parameters.Effect != TaintEffect.NoExecute)
        {
            return ("", []);
        }

        var (taint, there) = (New(parameters), await Clusters.Nodes(parameters.Cluster).PodsAsync(parameters.Node, cancellationToken));
        List<V1Pod> stopped = [.. there.Where(pod => !PodRoom.HasEnded(pod) && !IsTolerated(pod))];
        // By themselves daemon sets tolerate only the taints that Kubernetes sets for the state of a node.
        var ofDaemonSets = stopped.FindAll(pod => PodReplacement.Controller(pod)?.Kind == "DaemonSet").ConvertAll(PodRoom.NameOf);
        var leaving = stopped.FindAll(PodRoom.Moves);
        var none = ofDaemonSets.Count == 0 ? " None runs there now." : "";
        var cost = await PodRoom.CostAsync(Clusters.Pods(parameters.Cluster, Role), parameters.Node, leaving, none, cancellationToken);
        var daemonSets = ofDaemonSets.Count == 0
            ? ""
            : " These of daemon sets are stopped, and not started again while the taint is there: "
                + $"{CountText.Names(ofDaemonSets, PodRoom.MostNamed)}.";
        return (cost + daemonSets, [.. PodRoom.Alone(leaving).Order(StringComparer.Ordinal)]);

        bool IsTolerated(V1Pod pod) => (pod.Spec.Tolerations ?? []).Any(one => Tolerates(one, taint));
    }

    protected override NodeUndo WithFormer(V1Node? node, NodeUndo undo, TaintNodeParameters parameters)
    {
        var taint = New(parameters);
        var former = Find(node, Key(taint));
        return undo with
        {
            Taint = Key(taint),
            Value = Value(taint),
            Former = former,
            Was = former is not null && Value(former) == Value(taint),
        };
    }

    protected override HeldValue Held(NodeUndo undo, string cluster) =>
        new($"taint {undo.Taint} of node {undo.Uid}", $"The taint {undo.Taint} of node {undo.Node} on cluster {cluster}");

    protected override V1Taint? Read(V1Node node, NodeUndo undo) => Find(node, undo.Taint!);

    protected override V1Taint? Before(NodeUndo undo) => undo.Former;

    protected override V1Taint? After(NodeUndo undo) =>
        undo.Was ? undo.Former : new() { Key = undo.Taint!.Split(':')[0], Value = undo.Value, Effect = undo.Taint.Split(':')[1] };

    protected override bool AreSame(V1Taint? one, V1Taint? other) =>
        one is null ? other is null : other is not null && Value(one) == Value(other);

    // The list of taints is written whole: the version of the node that was read guards it.
    protected override JsonObject Write(V1Node node, NodeUndo undo, V1Taint? state)
    {
        IEnumerable<V1Taint> others = (node.Spec?.Taints ?? []).Where(one => Key(one) != undo.Taint);
        return new() { ["taints"] = JsonNode.Parse(KubernetesJson.Serialize(state is null ? others.ToList() : [.. others, state])) };
    }

    protected override (string Will, string Did) BackTexts(NodeUndo undo, V1Taint? before) => before is null
        ? (
            $"Take the taint {Texts(After(undo)!)} off node {undo.Node}{Stopped(undo)}",
            $"Took the taint {Texts(After(undo)!)} off node {undo.Node}")
        : (
            $"Give the taint {Texts(before)} back to node {undo.Node}{Stopped(undo)}",
            $"Gave the taint {Texts(before)} back to node {undo.Node}");

    protected override string NowText(NodeUndo undo, V1Taint? now) =>
        now is null ? $"has no taint {undo.Taint}" : $"has the taint {Texts(now)}";

    private static string Stopped(NodeUndo undo) =>
        undo.Taint!.EndsWith($":{TaintEffect.NoExecute}", StringComparison.Ordinal) ? "; what was stopped is not brought back" : "";

    private static V1Taint New(TaintNodeParameters parameters) =>
        new() { Key = parameters.Key, Value = parameters.Value, Effect = parameters.Effect.ToString() };

    private static string Key(V1Taint taint) => $"{taint.Key}:{taint.Effect}";

    private static string? Value(V1Taint taint) => string.IsNullOrEmpty(taint.Value) ? null : taint.Value;

    private static string Texts(V1Taint taint) => $"{taint.Key}{(Value(taint) is { } value ? $"={value}" : "")}:{taint.Effect}";

    /// <seealso href="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"/>
    private static bool Tolerates(V1Toleration one, V1Taint taint) => one.TolerationSeconds is null
        && (string.IsNullOrEmpty(one.Effect) || one.Effect == taint.Effect)
        && (one.OperatorProperty == "Exists"
            ? string.IsNullOrEmpty(one.Key) || one.Key == taint.Key
            : one.Key == taint.Key && (one.Value ?? "") == (taint.Value ?? ""));

    private static V1Taint? Find(V1Node? node, string key) => node?.Spec?.Taints?.FirstOrDefault(one => Key(one) == key);
}

public sealed record TaintNodeParameters : NodeParameters
{
    [Required, TextPattern("^([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
        "the key of a taint: at most 63 letters, digits, dashes, underscores and dots, if need be behind a domain and a slash")]
    [Description("The taint's key, for example gpu-fault.")]
    public required string Key { get; init; }

    [TextPattern("^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
        "at most 63 letters, digits, dashes, underscores and dots, beginning and ending with a letter or digit")]
    [Description("Its value, if it has one.")]
    public string? Value { get; init; }

    [Description("What it does to pods that do not tolerate it.")]
    public TaintEffect Effect { get; init; } = TaintEffect.NoSchedule;

    [Description("It stays when the mitigation is taken back or did not help.")]
    public bool Keep { get; init; }
}

public enum TaintEffect { NoSchedule, PreferNoSchedule, NoExecute }

/// <summary>Reimages the machine behind an AKS node. It is never repeated by itself, and a person is always asked.</summary>
/// <seealso href="https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-vms/reimage"/>
internal sealed partial class ReimageNode(Clusters clusters, ArmResources arm)
    : RunbookAction<ReimageNodeParameters>(
        "aks.reimageNode",
        "Reimages the scale set instance behind a cordoned AKS node, and waits until the node is ready again. Its local disks are lost.")
{
    private const string ProviderPrefix = "azure://";
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    public override string Role => "Virtual Machine Contributor on the cluster's node resource group, and on the cluster: get nodes";

    public override bool Repeatable => false;

    public override bool AlwaysAsks(JsonElement with) => true;

    protected override async Task<Preparation> PrepareAsync(
        ReimageNodeParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster, Role);
        var node = await nodes.FindAsync(parameters.Node, cancellationToken);
        var machine = node is null ? null : Machine(node);
        return new Preparation
        {
            PlannedEffect = $"Reimage the machine of node {parameters.Node} on cluster {nodes.Cluster}"
                + (machine is null ? "" : $" ({machine.DisplayName})")
                + ", and wait until the node is ready again. What is on its local disks is lost.",
            Identity = node is null ? null : $"{node.Metadata.Uid} {machine?.Id}",
            Refusal = node is null ? nodes.Missing(parameters.Node)
                : machine is null ? $"Node {parameters.Node} is not an instance of an Azure scale set: its provider id is '{node.Spec?.ProviderID}'."
                : null,
        };
    }

    protected override async Task<string?> CheckPermissionsAsync(
        ReimageNodeParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        await clusters.Nodes(parameters.Cluster, Role).FindAsync(parameters.Node, cancellationToken) is { } node && Machine(node) is { } machine
            ? await arm.CheckPermissionsAsync(machine, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/reimage/action", cancellationToken)
            : null;

    protected override async Task<ActionResult> ApplyAsync(
        ReimageNodeParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster, Role);
        if (await FindFirstAsync(nodes, parameters.Node, cancellationToken) is not { } node
            || Machine(node) is not { } machine
            || $"{node.Metadata.Uid} {machine.Id}" != preparation.Identity)
        {
            throw new StepRefusedException($"Node {parameters.Node} is no longer the one that was "
                + "approved. Nothing was reimaged.") { NothingDone = true };
        }

        if (!new NodeSigns(node).IsCordoned)
        {
            throw new StepRefusedException($"Node {parameters.Node} is not cordoned, so pods may be running on it. "
                + "Put the steps kubernetes.cordonNode and kubernetes.drainNode before this one.") { NothingDone = true };
        }

        var (before, started) = (new NodeSigns(node).Boot, context.Time.GetTimestamp());
        await arm.SendAsync(
            arm.Call(machine, RequestMethod.Post, "reimage it", below: "/reimage"), context.Time, cancellationToken, context.Progress);
        var known = $"node {parameters.Node} was reimaged";
        var waits = $"{known}, and has not started anew and become ready";
        // The machine comes back under the same name. Until then its record may be gone, or still show the old state: a node that has
        // stopped is called ready until its heartbeat is missed.
        while (await context.LookAsync(known, () => nodes.FindAsync(parameters.Node, cancellationToken), cancellationToken) is not { } back
            || new NodeSigns(back) is not { IsReady: true } signs
            || signs.Boot == before)
        {
            known = waits;
            context.Progress.Report(known);
            await Task.Delay(s_pause, context.Time, cancellationToken);
        }

        return new ActionResult($"Reimaged the machine of node {parameters.Node}; "
            + $"the node was ready again after {context.Time.GetElapsedTime(started).TotalSeconds:0} s.");
    }

    private static async Task<V1Node?> FindFirstAsync(ClusterNodes nodes, string node, CancellationToken cancellationToken)
    {
        try
        {
            return await nodes.FindAsync(node, cancellationToken);
        }
        catch (ClusterException away)
        {
            throw new ClusterException(away.Message, away) { NothingDone = true };
        }
    }

    private static ArmTarget? Machine(V1Node node) => node.Spec?.ProviderID is { } id && InstanceId().Match(id) is { Success: true }
        ? new ArmTarget(id[ProviderPrefix.Length..], "2024-07-01", "Virtual Machine Contributor")
        : null;

    [GeneratedRegex(
        "^azure:///subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]{1,90}/providers/Microsoft.Compute/virtualMachineScaleSets/[^/]{1,64}/virtualMachines/[0-9]{1,9}$",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex InstanceId();
}

public sealed record ReimageNodeParameters : NodeParameters;
