using System.ComponentModel;
using System.Globalization;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
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
        // All of none are ready: that is no sign of anything.
        var (verdict, words) = signs.Wanted > 0 ? (healthy ? Verdict.Passing : Verdict.Failing, signs.Words) : parameters.WhenEmpty switch
        {
            WhenEmpty.Passing => (Verdict.Passing, "scaled to 0 pods, which counts as healthy here"),
            WhenEmpty.Failing => (Verdict.Failing, "scaled to 0 pods, which counts as failing here"),
            _ => (Verdict.Unknown, "scaled to 0 pods, so there is none to look at"),
        };
        return new CheckResult(verdict, $"{parameters.Deployment}: {words}{(signs.Stuck is { } stuck ? $"; {stuck}" : "")}.")
        {
            Value = signs.Ready.ToString(CultureInfo.InvariantCulture),
            Threshold = $"< {signs.Wanted.ToString(CultureInfo.InvariantCulture)}",
            Unit = "pods",
            Link = deployments.Link,
        };
    }
}

public sealed record DeploymentCheckParameters : DeploymentParameters
{
    [Description("The verdict when it is scaled to 0 pods.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}
