using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Looks at a node's conditions, those of AKS's problem detector among them, and at the GPUs that it can still give.</summary>
/// <seealso href="https://learn.microsoft.com/azure/aks/node-problem-detector"/>
internal sealed class NodeCheck(Clusters clusters)
    : ClusterCheck<NodeCheckParameters>("kubernetes.node", "Looks whether a node is ready, has none of the conditions that mean trouble, and can use all its GPUs.")
{
    public override string Role => "Azure Kubernetes Service RBAC Reader at the cluster's scope, or a Kubernetes cluster role with: get nodes";

    protected override async Task<CheckResult> LookAsync(NodeCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        if (await nodes.FindAsync(parameters.Node, cancellationToken) is not { } node)
        {
            return CheckResult.Failing($"There is no node {parameters.Node} on cluster {nodes.Cluster}.");
        }

        var signs = new NodeSigns(node);
        return (signs.Troubles is { Count: > 0 } troubles
            ? CheckResult.Failing($"{parameters.Node}: {string.Join("; ", troubles)}{(signs.IsCordoned ? "; cordoned" : "")}.")
            : CheckResult.Passing($"{parameters.Node}: {signs.Words}.")) with { Link = nodes.Link };
    }
}

public sealed record NodeCheckParameters : NodeParameters;
