namespace Runbooks.Integrations.Kubernetes;

/// <summary>
/// Changes where new pods may go, and back again unless another incident holds the value or somebody else has changed it.
/// </summary>
internal abstract class NodeChange<TParameters, TState>(Clusters clusters, HeldValues held, string name, string summary)
    : RunbookAction<TParameters>(name, summary)
    where TParameters : NodeParameters
{
    private const int MaxTries = 5;

    public override string Role => ClusterNodes.Role;

    public override bool Reversible => true;

    public override Reversal ReversalOf(JsonElement with) => Reversals.KeptIn(with);

    protected Clusters Clusters => clusters;

    protected override async Task<Preparation> PrepareAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        var node = await nodes.FindAsync(parameters.Node, cancellationToken);
        var undo = WithFormer(
            node, new NodeUndo(parameters.Cluster, parameters.Node, node?.Metadata.Uid ?? "", Was: false, Keep(parameters)), parameters);
        var (cost, alone) = node is null ? ("", []) : await CostAsync(parameters, cancellationToken);
        var other = await held.FindOtherAsync<TState>(
            Held(undo, nodes.Cluster), state => !AreSame(state, After(undo)), context, cancellationToken);
        return new Preparation
        {
            PlannedEffect = Texts(parameters, nodes.Cluster).Will + cost
                + (other is null ? "" : $" Incident {other} has set it otherwise, and has not ended."),
            Identity = node is null ? null : string.Join(' ', [node.Metadata.Uid, .. alone]),
            IsSo = undo.Was,
            Undo = undo.Was ? HeldValues.WasSo
                : undo.Keep ? "Left to a person: it stays until somebody takes it off."
                : $"{BackTexts(undo, Before(undo)).Will}.",
            UndoneByHand = undo.Keep,
            UndoState = JsonSerializer.SerializeToElement(undo),
            Refusal = node is null ? nodes.Missing(parameters.Node) : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Nodes(parameters.Cluster).CheckPermissionsAsync(parameters.Node, "change", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        TParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var (undo, nodes) = (preparation.UndoState!.Value.Deserialize<NodeUndo>()!, clusters.Nodes(parameters.Cluster));
        var words = Texts(parameters, nodes.Cluster);
        return await held.HoldAsync(
            Held(undo, nodes.Cluster), Before(undo), After(undo),
            async () => await ChangeAsync(nodes, undo, Before(undo), After(undo), words.Verb, cancellationToken) switch
            {
                true => new ActionResult(words.Did),
                false => context.FoundSo(words.WasSo),
                null => throw new StepRefusedException($"Node {parameters.Node} is no longer the one that was "
                    + "approved. Nothing was changed.") { NothingDone = true },
            },
            context, cancellationToken);
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var undo = undoState.Deserialize<NodeUndo>()!;
        var nodes = clusters.Nodes(undo.Cluster);
        if (undo.Keep)
        {
            return await held.KeepAsync(
                Held(undo, nodes.Cluster),
                Before(undo),
                After(undo),
                $"Left node {undo.Node} as it is, as the runbook says; change it back by hand.",
                context,
                cancellationToken);
        }

        return await held.ReleaseAsync(
            Held(undo, nodes.Cluster), Before(undo),
            () => FindAsync(nodes, undo, cancellationToken),
            (state, node) => node is not null && AreSame(Read(node, undo), state),
            (before, _) => TakeBackAsync(nodes, undo, before, cancellationToken),
            context, cancellationToken);
    }

    protected abstract NodeUndo WithFormer(V1Node? node, NodeUndo undo, TParameters parameters);

    protected abstract NodeTexts Texts(TParameters parameters, string cluster);

    /// <summary>What the change does to the pods that run there, for the person who decides.</summary>
    /// <returns>
    /// A sentence or two that begin with a blank, and the pods that nothing brings back: other ones make it another step.
    /// </returns>
    protected virtual Task<(string Words, IReadOnlyList<string> Alone)> CostAsync(
        TParameters parameters, CancellationToken cancellationToken) =>
        Task.FromResult<(string, IReadOnlyList<string>)>(("", []));

    protected virtual bool Keep(TParameters parameters) => false;

    /// <summary>The one value that all incidents that change it share. A machine that came back under the same name is another one.</summary>
    protected abstract HeldValue Held(NodeUndo undo, string cluster);

    protected abstract TState Read(V1Node node, NodeUndo undo);

    protected abstract TState Before(NodeUndo undo);

    protected abstract TState After(NodeUndo undo);

    protected abstract bool AreSame(TState one, TState other);

    protected abstract JsonObject Write(V1Node node, NodeUndo undo, TState state);

    /// <summary>How it is changed back, and that it was: <c>Uncordon node x</c>, <c>Uncordoned node x</c>.</summary>
    protected abstract (string Will, string Did) BackTexts(NodeUndo undo, TState before);

    protected abstract string NowText(NodeUndo undo, TState now);

    private async Task<string> TakeBackAsync(ClusterNodes nodes, NodeUndo undo, TState before, CancellationToken cancellationToken)
    {
        if (AreSame(before, After(undo)))
        {
            return $"Nothing to change back: node {undo.Node} was so before this incident.";
        }

        return await ChangeAsync(nodes, undo, After(undo), before, "change back", cancellationToken) switch
        {
            true => $"{BackTexts(undo, before).Did}.",
            false => $"Node {undo.Node} had been changed back already.",
            null => $"Node {undo.Node} is gone or another by now, so there is nothing to change back.",
        };
    }

    /// <summary>Kubelets write to their nodes all the time, so after a conflict the node is read and the change tried again.</summary>
    /// <returns>True when it was changed, false when there was nothing to change, null when it is another node by now.</returns>
    private async Task<bool?> ChangeAsync(
        ClusterNodes nodes, NodeUndo undo, TState from, TState to, string verb, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxTries; attempt++)
        {
            if (await FindAsync(nodes, undo, cancellationToken) is not { } node)
            {
                return null;
            }

            var now = Read(node, undo);
            if (AreSame(now, to))
            {
                return false;
            }

            if (!AreSame(now, from))
            {
                throw new ChangedSinceException($"Node {undo.Node} {NowText(undo, now)} by now: "
                    + "somebody else has changed that since, so it was left alone.");
            }

            if (await nodes.PatchAsync(node, Write(node, undo, to), verb, cancellationToken))
            {
                return true;
            }
        }

        throw new ClusterException($"Node {undo.Node} on cluster '{nodes.Cluster}' was changed by others each "
            + "time it was about to be changed.") { NothingDone = true };
    }

    private static async Task<V1Node?> FindAsync(ClusterNodes nodes, NodeUndo undo, CancellationToken cancellationToken) =>
        await nodes.FindAsync(undo.Node, cancellationToken) is { } node && node.Metadata.Uid == undo.Uid ? node : null;
}

/// <param name="WasSo">Without its end, which says since when.</param>
internal sealed record NodeTexts(string Will, string Did, string WasSo, string Verb);

/// <param name="Taint"><c>key:effect</c>, for a taint: a node has at most one of these.</param>
internal sealed record NodeUndo(
    string? Cluster, string Node, string Uid, bool Was, bool Keep = false, string? Taint = null, string? Value = null, V1Taint? Former = null);

internal abstract class NodeScheduling<TParameters>(Clusters clusters, HeldValues held, bool cordons, string name, string summary)
    : NodeChange<TParameters, bool>(clusters, held, name, summary)
    where TParameters : NodeParameters
{
    protected override NodeUndo WithFormer(V1Node? node, NodeUndo undo, TParameters parameters) =>
        undo with { Was = node is not null && Read(node, undo) == cordons };

    protected override HeldValue Held(NodeUndo undo, string cluster) =>
        new($"cordon of node {undo.Uid}", $"The {(cordons ? "cordon" : "uncordoning")} of node {undo.Node} on cluster {cluster}");

    protected override bool Read(V1Node node, NodeUndo undo) => new NodeSigns(node).IsCordoned;

    protected override bool Before(NodeUndo undo) => undo.Was == cordons;

    protected override bool After(NodeUndo undo) => cordons;

    protected override bool AreSame(bool one, bool other) => one == other;

    protected override JsonObject Write(V1Node node, NodeUndo undo, bool state) => new() { ["unschedulable"] = state ? true : null };

    protected override (string Will, string Did) BackTexts(NodeUndo undo, bool before) => before
        ? ($"Cordon node {undo.Node} again", $"Cordoned node {undo.Node} again")
        : ($"Uncordon node {undo.Node}", $"Uncordoned node {undo.Node}");

    protected override string NowText(NodeUndo undo, bool now) => now ? "is cordoned" : "is not cordoned";
}

internal sealed class CordonNode(Clusters clusters, HeldValues held)
    : NodeScheduling<CordonNodeParameters>(
        clusters,
        held,
        cordons: true,
        "kubernetes.cordonNode",
        "Cordons a node: no new pods are scheduled on it, and those that run go on.")
{
    protected override NodeTexts Texts(CordonNodeParameters parameters, string cluster) => new(
        $"Cordon node {parameters.Node} on cluster {cluster}: no new pods are scheduled on it; those that run go on.",
        $"Cordoned node {parameters.Node}.",
        $"Node {parameters.Node} was cordoned",
        "cordon");

    protected override bool Keep(CordonNodeParameters parameters) => parameters.Keep;
}

public sealed record CordonNodeParameters : NodeParameters
{
    [Description("It stays cordoned when the mitigation is taken back or did not help: a broken machine must not get new pods.")]
    public bool Keep { get; init; }
}

internal sealed class UncordonNode(Clusters clusters, HeldValues held)
    : NodeScheduling<UncordonNodeParameters>(
        clusters, held, cordons: false, "kubernetes.uncordonNode", "Uncordons a node: new pods may be scheduled on it again.")
{
    protected override NodeTexts Texts(UncordonNodeParameters parameters, string cluster) => new(
        $"Uncordon node {parameters.Node} on cluster {cluster}: new pods may be scheduled on it again.",
        $"Uncordoned node {parameters.Node}.",
        $"Node {parameters.Node} was uncordoned",
        "uncordon");
}

public sealed record UncordonNodeParameters : NodeParameters;
