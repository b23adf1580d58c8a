using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Looks at a node's conditions, those of AKS's problem detector among them, and at the GPUs that it can still give.</summary>
/// <seealso href="https://learn.microsoft.com/azure/aks/node-problem-detector"/>
internal sealed class NodeCheck(Clusters clusters)
    : ClusterCheck<NodeCheckParameters>("kubernetes.node", "Looks whether a node is ready and was heard from lately (its lease within 2 minutes, or its status within 10), has none of the conditions that mean trouble, and can use all its GPUs.")
{
    /// <summary>A lease lasts 40 seconds; three of them.</summary>
    private static readonly TimeSpan LongestLease = TimeSpan.FromMinutes(2);

    /// <summary>Two reports of a status that has not changed.</summary>
    private static readonly TimeSpan LongestHeartbeat = TimeSpan.FromMinutes(10);

    public override string Role => "Azure Kubernetes Service RBAC Reader at the cluster's scope, or a Kubernetes cluster role with: get nodes, and get leases in kube-node-lease to know within seconds that the node is alive";

    protected override async Task<CheckResult> LookAsync(NodeCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        if (await nodes.FindAsync(parameters.Node, cancellationToken) is not { } node)
        {
            return CheckResult.Failing($"There is no node {parameters.Node} on cluster {nodes.Cluster}.");
        }

        var signs = new NodeSigns(node);
        return (signs.Troubles is { Count: > 0 } troubles ? CheckResult.Failing($"{parameters.Node}: {string.Join("; ", troubles)}{(signs.IsCordoned ? "; cordoned" : "")}.")
            : await SilenceAsync(nodes, signs, parameters, context.Time, cancellationToken) is { } silence ? CheckResult.Unknown($"{parameters.Node}: {signs.Words}, but {silence}, so how it is now is not known.")
            : CheckResult.Passing($"{parameters.Node}: {signs.Words}.")) with { Link = nodes.Link };
    }

    /// <summary>
    /// A kubelet renews its lease every few seconds, and repeats a status that has not changed only every five minutes. So the lease
    /// says whether the node is alive; the condition's heartbeat says it where the lease cannot be read.
    /// </summary>
    /// <returns>For how long nobody has heard from the node, in words; null when it was heard from just now.</returns>
    /// <seealso href="https://kubernetes.io/docs/reference/node/node-status/#heartbeats"/>
    private static async Task<string?> SilenceAsync(ClusterNodes nodes, NodeSigns signs, NodeCheckParameters parameters, TimeProvider time, CancellationToken cancellationToken)
    {
        var renewed = await nodes.LeaseRenewedAsync(parameters.Node, cancellationToken);
        return (renewed ?? signs.Heartbeat) is not { } heard ? "it does not say when it was heard from last"
            : time.GetUtcNow() - heard is var silent && silent > (renewed is null ? LongestHeartbeat : LongestLease) ? $"its kubelet was heard from last {Measurement.Age(silent)} ago"
            : null;
    }
}

public sealed record NodeCheckParameters : NodeParameters;
