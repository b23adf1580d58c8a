namespace Runbooks.Integrations.Kubernetes;

/// <summary>New pods for old ones, in the way of the deployment's strategy, as <c>kubectl rollout restart</c> does it.</summary>
internal sealed class RolloutRestart(Clusters clusters)
    : RunbookAction<RolloutRestartParameters>("kubernetes.rolloutRestart", "Restarts the pods of a deployment as its strategy says, a few at a time or all at once, and waits until the new ones are ready.")
{
    public override string Role => ClusterDeployments.Role;

    // An interrupted attempt may have restarted it already: what it set out to do is still the plan.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(RolloutRestartParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        var deployment = await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Restart the pods of deployment {parameters.Namespace}/{parameters.Deployment} on cluster {deployments.Cluster}, {Way(deployment)}, and wait until the new ones are ready.",
            // Another strategy since then makes it another step.
            Identity = deployment is null ? null : $"{Version(deployment)}; {Way(deployment)}",
            Refusal = deployment is null ? deployments.Missing(parameters.Namespace, parameters.Deployment) : Refusal(deployment),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(RolloutRestartParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Deployments(parameters.Cluster).CheckPermissionsAsync(parameters.Namespace, parameters.Deployment, null, "restart", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RolloutRestartParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        var deployment = await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken);
        // What was prepared before the way was part of it ends without the blank.
        var same = deployment is not null && Version(deployment).TrimEnd() == preparation.Identity?.Split("; ")[0].TrimEnd();
        if (!same && context.Interrupted is null)
        {
            throw new StepRefusedException($"Deployment {parameters.Namespace}/{parameters.Deployment} was restarted or replaced since this was approved. Nothing was changed.");
        }

        // No attempt makes it anew.
        if (deployment?.Metadata.Uid != preparation.Identity?.Split(' ')[0])
        {
            throw new StepRefusedException($"Deployment {parameters.Namespace}/{parameters.Deployment} is gone, or another one has its name since this was approved.");
        }

        var started = context.Time.GetTimestamp();
        if (same)
        {
            await deployments.RestartAsync(parameters.Namespace, parameters.Deployment, deployment!.Metadata.Uid, context.Time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), cancellationToken);
        }

        await deployments.WaitUntilReadyAsync(parameters.Namespace, parameters.Deployment, deployment!.Metadata.Uid, "restarted", wanted: null, context, cancellationToken);
        return new ActionResult(FormattableString.Invariant(
            $"{(same ? "Restarted" : "Restarted when this attempt came to it, by an earlier attempt or by somebody else:")} deployment {parameters.Namespace}/{parameters.Deployment}; its new pods were ready after {context.Time.GetElapsedTime(started).TotalSeconds:0} s."));
    }

    internal static string? Refusal(V1Deployment deployment) => deployment switch
    {
        { Spec.Replicas: 0 } => "It is scaled to 0 pods, so there is none to restart.",
        { Spec.Paused: true } => "Its rollout is paused, so a restart would wait. Resume it first.",
        _ => null,
    };

    private static string Version(V1Deployment deployment) => $"{deployment.Metadata.Uid} {new DeploymentSigns(deployment).RestartedAt}";

    internal static string Way(V1Deployment? deployment) =>
        deployment is null ? "a few at a time"
        : deployment.Spec?.Strategy?.Type == "Recreate" ? "all at once (its strategy is Recreate, so none serves until the new ones are ready)"
        : AwayAtOnce(deployment) >= new DeploymentSigns(deployment).Wanted ? "all at once (its strategy lets all of them be away at a time, so none may serve until the new ones are ready)"
        : "a few at a time";

    /// <summary>As its controller counts: a share is rounded down for those that are away, up for those on top, and where both come to 0, one is away.</summary>
    /// <seealso href="https://github.com/kubernetes/kubernetes/blob/v1.33.0/pkg/controller/deployment/util/deployment_util.go"/>
    private static int AwayAtOnce(V1Deployment deployment)
    {
        var (pods, rolling) = (new DeploymentSigns(deployment).Wanted, deployment.Spec?.Strategy?.RollingUpdate);
        var away = Count(rolling?.MaxUnavailable?.Value, pods, roundedBy: 0);
        return away == 0 && Count(rolling?.MaxSurge?.Value, pods, roundedBy: 99) == 0 ? 1 : away;
    }

    private static int Count(string? amount, int of, int roundedBy) =>
        (amount ?? "25%").Split('%') is [var share, ""] ? ((int.Parse(share, CultureInfo.InvariantCulture) * of) + roundedBy) / 100 : int.Parse(amount!, CultureInfo.InvariantCulture);
}

public sealed record RolloutRestartParameters : DeploymentParameters;
