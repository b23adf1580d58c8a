using k8s;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class ClusterDeployments(ClusterCalls calls)
{
    public const string Role = "Azure Kubernetes Service RBAC Writer, or a Kubernetes role with: "
        + "get and patch deployments, get and patch deployments/scale, list horizontalpodautoscalers";
    public const string RestartedAt = "kubectl.kubernetes.io/restartedAt";

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    public string Cluster => calls.Cluster;

    public string? Link => calls.Link;

    public Task<V1Deployment?> FindAsync(string ns, string name, CancellationToken cancellationToken) => calls.FindAsync(
        $"get deployment {ns}/{name}",
        client => client.AppsV1.ReadNamespacedDeploymentAsync(name, ns, cancellationToken: cancellationToken),
        cancellationToken);

    public string Missing(string ns, string name) => $"There is no deployment {ns}/{name} on cluster {Cluster}.";

    /// <returns>The name of the autoscaler that decides how many pods there are, null for none; and whether that may be read at all.</returns>
    public async Task<(string? Name, bool MayBeRead)> FindAutoscalerAsync(string ns, string name, CancellationToken cancellationToken)
    {
        var mayBeRead = true;
        var all = await calls.ListAsync<V1HorizontalPodAutoscalerList, V1HorizontalPodAutoscaler>(
            $"list the autoscalers of {ns}",
            (client, limit, next) => client.AutoscalingV1.ListNamespacedHorizontalPodAutoscalerAsync(
                ns, limit: limit, continueParameter: next, cancellationToken: cancellationToken),
            onStatus: status => status is 403 or 404 ? () => Nothing(status) : null,
            cancellationToken);
        return (
            all.FirstOrDefault(one => one.Spec?.ScaleTargetRef is { Kind: "Deployment" } target && target.Name == name)?.Metadata.Name,
            mayBeRead);

        List<V1HorizontalPodAutoscaler> Nothing(int status)
        {
            mayBeRead = status != 403;
            return [];
        }
    }

    public Task RestartAsync(string ns, string name, string uid, string at, CancellationToken cancellationToken) => ChangeAsync(
        "restart", ns, name, uid,
        new() { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [RestartedAt] = at } } } },
        (client, patch) => client.AppsV1.PatchNamespacedDeploymentAsync(patch, name, ns, cancellationToken: cancellationToken),
        cancellationToken);

    public Task ScaleAsync(string ns, string name, string uid, int replicas, CancellationToken cancellationToken) => ChangeAsync(
        "scale", ns, name, uid,
        new() { ["replicas"] = replicas },
        (client, patch) => client.AppsV1.PatchNamespacedDeploymentScaleAsync(patch, name, ns, cancellationToken: cancellationToken),
        cancellationToken);

    private async Task ChangeAsync<T>(
        string what,
        string ns,
        string name,
        string uid,
        JsonObject spec,
        Func<IKubernetes, V1Patch, Task<T>> send,
        CancellationToken cancellationToken)
    {
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = uid }, ["spec"] = spec };
        try
        {
            await calls.SendAsync(
                $"{what} deployment {ns}/{name}",
                client => send(client, new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch)),
                onStatus: null,
                cancellationToken);
        }
        catch (ClusterException refused) when (refused.Status is 409 or 422)
        {
            // Another UID is a conflict for the scale subresource and an invalid change for the deployment itself. A busy object is a
            // conflict too, and a wrong change an invalid one.
            if ((await FindAsync(ns, name, cancellationToken))?.Metadata.Uid != uid)
            {
                throw new StepRefusedException($"Deployment {ns}/{name} is no longer the one that was "
                    + "approved. Nothing was changed.") { NothingDone = true };
            }

            if (refused.Status == 422)
            {
                throw new StepRefusedException(refused.Message) { NothingDone = true };
            }

            throw;
        }
    }

    /// <summary>Waits until all its pods are of its present template and ready. The token carries the step's time limit.</summary>
    public async Task WaitUntilReadyAsync(
        string ns, string name, string uid, string did, int? wanted, StepContext context, CancellationToken cancellationToken)
    {
        var known = $"deployment {ns}/{name} was {did}";
        while (true)
        {
            var deployment = await context.LookAsync(known, () => FindAsync(ns, name, cancellationToken), cancellationToken);
            if (deployment is null || deployment.Metadata.Uid != uid)
            {
                throw new StepRefusedException($"Deployment {ns}/{name} was {did}, and then it was deleted, or another one took its name.");
            }

            var signs = new DeploymentSigns(deployment);
            if (wanted is not null && signs.Wanted != wanted)
            {
                throw new StepRefusedException($"Deployment {ns}/{name} was {did} to {wanted} pods, "
                    + $"and then to {signs.Wanted} by somebody else. It is left as it is.");
            }

            if (signs.IsRolledOut)
            {
                return;
            }

            var stuckText = signs.Stuck is { } stuck ? $"; {stuck.TrimEnd('.')}" : "";
            known = $"deployment {ns}/{name} was {did} and has {signs.Text}{stuckText}";
            context.Progress.Report(known);
            await Task.Delay(s_pause, context.Time, cancellationToken);
        }
    }

    public async Task<string?> CheckPermissionsAsync(
        string ns, string name, string? subresource, string what, CancellationToken cancellationToken) =>
        await calls.MayAsync("patch", new("apps", "deployments", subresource, ns, name), cancellationToken)
            ? null
            : calls.MissingPermission($"{what} deployment {ns}/{name}");
}

public abstract record DeploymentParameters : ClusterParameters
{
    [Required, KubernetesName]
    [Description("The deployment's namespace.")]
    public required string Namespace { get; init; }

    [Required, KubernetesName(Subdomain = true)]
    [Description("The deployment.")]
    public required string Deployment { get; init; }
}

internal sealed record DeploymentSigns(V1Deployment Deployment)
{
    public int Wanted => Deployment.Spec?.Replicas ?? 1;

    public int Ready => Deployment.Status?.ReadyReplicas ?? 0;

    public string RestartedAt =>
        Deployment.Spec?.Template?.Metadata?.Annotations?.TryGetValue(ClusterDeployments.RestartedAt, out var at) == true ? at : "";

    /// <summary>As <c>kubectl rollout status</c> judges it.</summary>
    public bool IsRolledOut => Deployment.Status is { } status
        && (status.ObservedGeneration ?? 0) >= (Deployment.Metadata.Generation ?? 0)
        && Updated >= Wanted
        && Earlier <= 0
        && Available >= Wanted;

    /// <summary>
    /// Everything that keeps it from being rolled out. Ready pods may be of any version, and pods of the present one in any state.
    /// </summary>
    /// <seealso href="https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/#DeploymentStatus"/>
    public string Text => string.Join(", ", Lines.Of(
        $"{Ready} of {Wanted} pods ready",
        Updated < Wanted ? $"{Updated} of {Wanted} made of its present version" : null,
        Earlier > 0 ? $"{Earlier} of an earlier version still there" : null,
        Ready >= Wanted && Available < Wanted ? $"{Available} of them for long enough" : null,
        Deployment.Status?.ObservedGeneration < Deployment.Metadata.Generation ? "its newest change not taken up yet" : null));

    private int Updated => Deployment.Status?.UpdatedReplicas ?? 0;

    private int Earlier => (Deployment.Status?.Replicas ?? 0) - Updated;

    private int Available => Deployment.Status?.AvailableReplicas ?? 0;

    public string? Stuck =>
        Deployment.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "Progressing", Status: "False" })?.Message;
}
