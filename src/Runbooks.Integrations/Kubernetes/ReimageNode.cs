namespace Runbooks.Integrations.Kubernetes;

/// <summary>Makes the machine behind an AKS node anew from its image. It is never repeated by itself, and a person is always asked.</summary>
/// <seealso href="https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-vms/reimage"/>
internal sealed partial class ReimageNode(Clusters clusters, ArmResources arm)
    : RunbookAction<ReimageNodeParameters>("aks.reimageNode", "Reimages the scale set instance behind a cordoned AKS node, and waits until the node is ready again. Its local disks are lost.")
{
    private const string ProviderPrefix = "azure://";
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    public override string Role => "Virtual Machine Contributor on the cluster's node resource group, and on the cluster: get nodes";

    public override bool Repeatable => false;

    public override bool AlwaysAsks(JsonElement with) => true;

    protected override async Task<Preparation> PrepareAsync(ReimageNodeParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster, Role);
        var node = await nodes.FindAsync(parameters.Node, cancellationToken);
        var machine = node is null ? null : Machine(node);
        return new Preparation
        {
            PlannedEffect = $"Reimage the machine of node {parameters.Node} on cluster {nodes.Cluster}{(machine is null ? "" : $" ({machine.DisplayName})")}, and wait until the node is ready again. What is on its local disks is lost.",
            Identity = node is null ? null : $"{node.Metadata.Uid} {machine?.Id}",
            Refusal = node is null ? nodes.Missing(parameters.Node)
                : machine is null ? $"Node {parameters.Node} is not an instance of an Azure scale set: its provider id is '{node.Spec?.ProviderID}'."
                : null,
        };
    }

    protected override async Task<string?> CheckPermissionsAsync(ReimageNodeParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        await clusters.Nodes(parameters.Cluster, Role).FindAsync(parameters.Node, cancellationToken) is { } node && Machine(node) is { } machine
            ? await arm.CheckPermissionsAsync(machine, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/reimage/action", cancellationToken)
            : null;

    protected override async Task<ActionResult> ApplyAsync(
        ReimageNodeParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster, Role);
        if (await FindFirstAsync(nodes, parameters.Node, cancellationToken) is not { } node || Machine(node) is not { } machine || $"{node.Metadata.Uid} {machine.Id}" != preparation.Identity)
        {
            throw new StepRefusedException($"Node {parameters.Node} is no longer the one that was approved. Nothing was reimaged.");
        }

        if (!new NodeSigns(node).IsCordoned)
        {
            throw new StepRefusedException($"Node {parameters.Node} is not cordoned, so pods may be running on it. Put the steps kubernetes.cordonNode and kubernetes.drainNode before this one.");
        }

        var (before, started) = (new NodeSigns(node).Boot, context.Time.GetTimestamp());
        await arm.SendAsync(arm.Call(machine, RequestMethod.Post, "reimage it", below: "/reimage"), context.Time, cancellationToken, context.Progress);
        var done = $"node {parameters.Node} was reimaged";
        // The machine comes back under the same name. Until then its record may be gone, or say what was so before:
        // a node that has stopped is called ready until its heartbeat is missed.
        while (await context.LookAsync(done, () => nodes.FindAsync(parameters.Node, cancellationToken), cancellationToken) is not { } back || new NodeSigns(back) is not { IsReady: true } signs || signs.Boot == before)
        {
            context.Progress.Report($"{done}, and has not started anew and become ready");
            await Task.Delay(s_pause, context.Time, cancellationToken);
        }

        return new ActionResult(FormattableString.Invariant($"Reimaged the machine of node {parameters.Node}; the node was ready again after {context.Time.GetElapsedTime(started).TotalSeconds:0} s."));
    }

    /// <summary>Until here nothing was sent to the machine.</summary>
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

    [GeneratedRegex("^azure:///subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]{1,90}/providers/Microsoft.Compute/virtualMachineScaleSets/[^/]{1,64}/virtualMachines/[0-9]{1,9}$", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex InstanceId();
}

public sealed record ReimageNodeParameters : NodeParameters;
