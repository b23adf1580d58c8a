using System.Globalization;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Looks whether a deployment has all the pods that it should have.</summary>
internal sealed class DeploymentCheck(Clusters clusters)
    : ClusterCheck<DeploymentCheckParameters>("kubernetes.deployment", "Looks whether all pods of a deployment are ready and of its present version.")
{
    public override string Role => "Azure Kubernetes Service RBAC Reader, or a Kubernetes role with: get deployments";

    protected override async Task<CheckResult> LookAsync(DeploymentCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        if (await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken) is not { } deployment)
        {
            return CheckResult.Failing($"There is no deployment {parameters.Namespace}/{parameters.Deployment} on cluster {deployments.Cluster}.");
        }

        var signs = new DeploymentSigns(deployment);
        var healthy = signs.IsRolledOut && signs.Stuck is null;
        return new CheckResult(healthy ? Verdict.Passing : Verdict.Failing, $"{parameters.Deployment}: {signs.Words}{(signs.Stuck is { } stuck ? $"; {stuck}" : "")}.")
        {
            Value = signs.Ready.ToString(CultureInfo.InvariantCulture),
            Threshold = $"< {signs.Wanted.ToString(CultureInfo.InvariantCulture)}",
            Unit = "pods",
            Link = deployments.Link,
        };
    }
}

public sealed record DeploymentCheckParameters : DeploymentParameters;
