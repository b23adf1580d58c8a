namespace Runbooks.Integrations.Kubernetes;

internal sealed class ScaleDeployment(Clusters clusters, HeldValues held)
    : RunbookAction<ScaleDeploymentParameters>(
        "kubernetes.scaleDeployment",
        "Sets how many pods a deployment has, never more than a stated maximum, and waits until they are ready.")
{
    public override string Role => ClusterDeployments.Role;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("before", "How many pods it had.", "3"),
        new("after", "How many it has now.", "4"),
    ];

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(
        ScaleDeploymentParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        var deployment = await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken);
        var before = deployment is null ? 0 : new DeploymentSigns(deployment).Wanted;
        var after = parameters.Replicas ?? before + (parameters.Add ?? 0);
        var (autoscaler, mayBeRead) = deployment is null
            ? (null, true)
            : await deployments.FindAutoscalerAsync(parameters.Namespace, parameters.Deployment, cancellationToken);
        var undo = new ScaleUndo(
            parameters.Cluster, parameters.Namespace, parameters.Deployment, deployment?.Metadata.Uid ?? "", before, after);
        return new Preparation
        {
            PlannedEffect = $"Scale deployment {parameters.Namespace}/{parameters.Deployment} on cluster {deployments.Cluster} "
                + $"from {before} to {after} pods (at most {parameters.Max}), and wait until they are ready."
                + (mayBeRead ? "" : " Whether an autoscaler decides how many pods it has may not be read; one would take this back.")
                + ObjectKeeper.Remark(deployment?.Metadata),
            // The numbers are part of it: two more pods than two is another change than two more than three.
            Identity = deployment is null ? null : $"{deployment.Metadata.Uid} {before}->{after}",
            IsSo = deployment is not null && before == after,
            Undo = $"Scale it back to {before}.",
            UndoState = JsonSerializer.SerializeToElement(undo),
            Refusal = deployment switch
            {
                null => deployments.Missing(parameters.Namespace, parameters.Deployment),
                _ when autoscaler is not null => $"The autoscaler {autoscaler} decides how many pods it has, "
                    + "and would take this back. Change its limits instead.",
                _ when after > parameters.Max => $"That would be {after} pods, and at most {parameters.Max} are allowed here.",
                _ when after < 1 => "That would leave no pod at all.",
                _ => null,
            },
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        ScaleDeploymentParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Deployments(parameters.Cluster).CheckPermissionsAsync(
            parameters.Namespace, parameters.Deployment, "scale", "scale", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        ScaleDeploymentParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        var plan = preparation.UndoState!.Value.Deserialize<ScaleUndo>()!;
        var had = await held.HoldAsync(
            Held(plan, deployments),
            plan.Before,
            plan.After,
            () => ScaleAsync(deployments, plan, cancellationToken),
            context,
            cancellationToken);
        await deployments.WaitUntilReadyAsync(plan.Namespace, plan.Deployment, plan.Uid, "scaled", plan.After, context, cancellationToken);
        return new ActionResult(had == plan.After
            ? $"Deployment {plan.Namespace}/{plan.Deployment} had {plan.After} pods {context.Found}. All are ready."
            : $"Scaled deployment {plan.Namespace}/{plan.Deployment} from {plan.Before} to {plan.After} pods, all ready.")
        {
            FoundSo = had == plan.After && context.Interrupted is null,
            Outputs = new Dictionary<string, string> { ["before"] = $"{plan.Before}", ["after"] = $"{plan.After}" },
        };
    }

    private static async Task<int> ScaleAsync(ClusterDeployments deployments, ScaleUndo plan, CancellationToken cancellationToken)
    {
        var now = await FindAsync(deployments, plan, cancellationToken)
            ?? throw new StepRefusedException($"Deployment {plan.Namespace}/{plan.Deployment} is no longer the one that was "
                + "approved. Nothing was changed.") { NothingDone = true };
        if (now != plan.Before && now != plan.After)
        {
            throw new StepRefusedException($"Deployment {plan.Namespace}/{plan.Deployment} was scaled to {now} by somebody else "
                + "meanwhile. Nothing was changed.") { NothingDone = true };
        }

        await deployments.ScaleAsync(plan.Namespace, plan.Deployment, plan.Uid, plan.After, cancellationToken);
        return now;
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var undo = undoState.Deserialize<ScaleUndo>()!;
        var deployments = clusters.Deployments(undo.Cluster);
        return held.ReleaseAsync(
            Held(undo, deployments), undo.Before,
            () => FindAsync(deployments, undo, cancellationToken),
            (pods, now) => pods == now,
            (before, now) => TakeBackAsync(deployments, undo with { Before = before }, now, cancellationToken),
            context, cancellationToken);
    }

    private static async Task<string> TakeBackAsync(
        ClusterDeployments deployments, ScaleUndo undo, int? now, CancellationToken cancellationToken)
    {
        var name = $"deployment {undo.Namespace}/{undo.Deployment}";
        if (now is null)
        {
            return $"{name} is gone or another by now, so there is nothing to scale back.";
        }

        if (now == undo.Before)
        {
            return $"{name} has {undo.Before} pods already.";
        }

        if (now != undo.After)
        {
            throw new ChangedSinceException($"Left {name} at {now} pods: somebody else has scaled it since. "
                + $"Before this incident it had {undo.Before}.");
        }

        await deployments.ScaleAsync(undo.Namespace, undo.Deployment, undo.Uid, undo.Before, cancellationToken);
        return $"Scaled {name} back from {undo.After} to {undo.Before} pods.";
    }

    private static HeldValue Held(ScaleUndo plan, ClusterDeployments deployments) =>
        new($"The number of pods of deployment {plan.Namespace}/{plan.Deployment} on cluster {deployments.Cluster}");

    private static async Task<int?> FindAsync(ClusterDeployments deployments, ScaleUndo plan, CancellationToken cancellationToken) =>
        await deployments.FindAsync(plan.Namespace, plan.Deployment, cancellationToken) is { } deployment
            && deployment.Metadata.Uid == plan.Uid
            ? new DeploymentSigns(deployment).Wanted
            : null;

    private sealed record ScaleUndo(string? Cluster, string Namespace, string Deployment, string Uid, int Before, int After);
}

public sealed record ScaleDeploymentParameters : DeploymentParameters, IValidatableObject
{
    [Range(1, 1000)]
    [Description("How many pods it shall have. Say either this or 'add'.")]
    public int? Replicas { get; init; }

    [Range(-100, 100)]
    [Description("How many pods to add to those that it has.")]
    public int? Add { get; init; }

    [Required, Range(1, 1000)]
    [Description("Never more pods than this, whatever the other parameters come to.")]
    public required int Max { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. Replicas is null == Add is null
            ? [new AnyValueResult("Say either 'replicas' or 'add'.", nameof(Replicas))]
            : Array.Empty<ValidationResult>(),
        .. Replicas > Max
            ? [new($"{Replicas} pods are more than 'max', {Max}.", [nameof(Replicas), nameof(Max)])]
            : Array.Empty<ValidationResult>(),
    ];
}

internal sealed class RolloutRestart(Clusters clusters)
    : RunbookAction<RolloutRestartParameters>(
        "kubernetes.rolloutRestart",
        "Restarts the pods of a deployment as its strategy says, a few at a time or all at once, and waits until the new ones are ready.")
{
    public override string Role => ClusterDeployments.Role;

    // An interrupted attempt may have restarted it already: the plan stays what that set out to do.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(
        RolloutRestartParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        var deployment = await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Restart the pods of deployment {parameters.Namespace}/{parameters.Deployment} on cluster "
                + $"{deployments.Cluster}, {Way(deployment)}, and wait until the new ones are ready.",
            // Another strategy makes it another step.
            Identity = deployment is null ? null : $"{Version(deployment)}; {Way(deployment)}",
            Refusal = deployment is null ? deployments.Missing(parameters.Namespace, parameters.Deployment) : Refusal(deployment),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        RolloutRestartParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Deployments(parameters.Cluster).CheckPermissionsAsync(
            parameters.Namespace, parameters.Deployment, null, "restart", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RolloutRestartParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster);
        var deployment = await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken);
        // An identity that an older version noted has no strategy, and ends without the blank.
        var same = deployment is not null && Version(deployment).TrimEnd() == preparation.Identity?.Split("; ")[0].TrimEnd();
        if (!same && context.Interrupted is null)
        {
            throw new StepRefusedException($"Deployment {parameters.Namespace}/{parameters.Deployment} was restarted or replaced since "
                + "this was approved. Nothing was changed.") { NothingDone = true };
        }

        // No attempt makes the deployment again.
        if (deployment?.Metadata.Uid != preparation.Identity?.Split(' ')[0])
        {
            throw new StepRefusedException($"Deployment {parameters.Namespace}/{parameters.Deployment} is gone, "
                + "or another one has its name since this was approved.");
        }

        var started = context.Time.GetTimestamp();
        if (same)
        {
            await deployments.RestartAsync(
                parameters.Namespace,
                parameters.Deployment,
                deployment!.Metadata.Uid,
                context.Time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
                cancellationToken);
        }

        await deployments.WaitUntilReadyAsync(
            parameters.Namespace, parameters.Deployment, deployment!.Metadata.Uid, "restarted", wanted: null, context, cancellationToken);
        var did = same ? "Restarted" : "Restarted when this attempt came to it, by an earlier attempt or by somebody else:";
        return new ActionResult($"{did} deployment {parameters.Namespace}/{parameters.Deployment}; "
            + $"its new pods were ready after {context.Time.GetElapsedTime(started).TotalSeconds:0} s.");
    }

    internal static string? Refusal(V1Deployment deployment) => deployment switch
    {
        { Spec.Replicas: 0 } => "It is scaled to 0 pods, so there is none to restart.",
        { Spec.Paused: true } => "Its rollout is paused, so a restart would wait. Resume it first.",
        _ => null,
    };

    private static string Version(V1Deployment deployment) => $"{deployment.Metadata.Uid} {new DeploymentSigns(deployment).RestartedAt}";

    internal static string Way(V1Deployment? deployment)
    {
        if (deployment?.Spec?.Strategy?.Type == "Recreate")
        {
            return "all at once (its strategy is Recreate, so none serves until the new ones are ready)";
        }

        return deployment is not null && AwayAtOnce(deployment) >= new DeploymentSigns(deployment).Wanted
            ? "all at once (its strategy lets all of them be away at a time, so none may serve until the new ones are ready)"
            : "a few at a time";
    }

    /// <summary>
    /// As the deployment controller counts: a share is rounded down for pods that are away and up for pods on top. Where both come to
    /// 0, one is away.
    /// </summary>
    /// <seealso href="https://github.com/kubernetes/kubernetes/blob/v1.33.0/pkg/controller/deployment/util/deployment_util.go"/>
    private static int AwayAtOnce(V1Deployment deployment)
    {
        var (pods, rolling) = (new DeploymentSigns(deployment).Wanted, deployment.Spec?.Strategy?.RollingUpdate);
        var away = Count(rolling?.MaxUnavailable?.Value, pods, roundedBy: 0);
        return away == 0 && Count(rolling?.MaxSurge?.Value, pods, roundedBy: 99) == 0 ? 1 : away;
    }

    private static int Count(string? amount, int of, int roundedBy) =>
        (amount ?? "25%").Split('%') is [var share, ""]
            ? ((int.Parse(share, CultureInfo.InvariantCulture) * of) + roundedBy) / 100
            : int.Parse(amount!, CultureInfo.InvariantCulture);
}

public sealed record RolloutRestartParameters : DeploymentParameters;
