using k8s;
using k8s.Autorest;
using k8s.Models;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>What the runbooks need of one cluster's pods, with errors in words.</summary>
internal sealed class ClusterPods(IClusterConnection connection, string cluster, string? link)
{
    private const int MaxPods = 500;

    public const string Role = "Azure Kubernetes Service RBAC Writer, or a Kubernetes role with: get and list pods, get pods/log, create pods/eviction, delete pods";

    public string Cluster => cluster;

    /// <summary>Where a person looks at it; null when that is not known.</summary>
    public string? Link => link;

    /// <returns>Null when there is none.</returns>
    public Task<V1Pod?> FindAsync(string ns, string name, CancellationToken cancellationToken) => CallAsync<V1Pod?>(
        $"get pod {ns}/{name}",
        async client => await client.CoreV1.ReadNamespacedPodAsync(name, ns, cancellationToken: cancellationToken),
        onStatus: status => status == 404 ? () => null : null,
        cancellationToken);

    public Task<IList<V1Pod>> ListAsync(string ns, CancellationToken cancellationToken) => CallAsync(
        $"list pods in {ns}",
        async client => (await client.CoreV1.ListNamespacedPodAsync(ns, limit: MaxPods, cancellationToken: cancellationToken)).Items,
        cancellationToken: cancellationToken);

    /// <returns>The end of the log, at most <paramref name="lines"/> lines and about 8 MiB; null when there is none.</returns>
    public Task<Stream?> LogAsync(string ns, string name, string container, bool previous, bool stamped, int lines, CancellationToken cancellationToken) => CallAsync<Stream?>(
        $"get the log of pod {ns}/{name}",
        async client => await client.CoreV1.ReadNamespacedPodLogAsync(
            name, ns, container: container, previous: previous, timestamps: stamped, tailLines: lines, limitBytes: 8 * 1024 * 1024, cancellationToken: cancellationToken),
        // 400: the container has no such log, because it never ran or never ran before.
        onStatus: status => status is 400 or 404 ? () => null : null,
        cancellationToken);

    /// <summary>Evicts exactly the pod with this UID.</summary>
    public Task<EvictionOutcome> EvictAsync(string ns, string name, V1DeleteOptions exactly, CancellationToken cancellationToken) => CallAsync(
        $"evict pod {ns}/{name}",
        async client =>
        {
            await client.CoreV1.CreateNamespacedPodEvictionAsync(
                new V1Eviction { ApiVersion = "policy/v1", Kind = "Eviction", Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns }, DeleteOptions = exactly },
                name,
                ns,
                cancellationToken: cancellationToken);
            return EvictionOutcome.Accepted;
        },
        Outcome,
        cancellationToken);

    /// <summary>Deletes exactly the pod with this UID, whatever disruption budgets say.</summary>
    public Task<EvictionOutcome> DeleteAsync(string ns, string name, V1DeleteOptions exactly, CancellationToken cancellationToken) => CallAsync(
        $"delete pod {ns}/{name}",
        async client =>
        {
            await client.CoreV1.DeleteNamespacedPodAsync(name, ns, exactly, cancellationToken: cancellationToken);
            return EvictionOutcome.Accepted;
        },
        Outcome,
        cancellationToken);

    /// <summary>Asks whether this identity may evict the pod, or delete it when evicting is not enough.</summary>
    /// <returns>What it may not, in words; null when it may, or when the cluster does not tell.</returns>
    public async Task<string?> CheckPermissionsAsync(string ns, string name, bool delete, CancellationToken cancellationToken) =>
        !await MayAsync("create", "eviction", ns, name, cancellationToken) ? MissingPermission($"evict pod {ns}/{name}")
        : delete && !await MayAsync("delete", null, ns, name, cancellationToken) ? MissingPermission($"delete pod {ns}/{name}")
        : null;

    private async Task<bool> MayAsync(string verb, string? subresource, string ns, string name, CancellationToken cancellationToken)
    {
        var about = new V1ResourceAttributes { Verb = verb, Resource = "pods", Subresource = subresource, NamespaceProperty = ns, Name = name };
        var review = new V1SelfSubjectAccessReview { Spec = new V1SelfSubjectAccessReviewSpec { ResourceAttributes = about } };
        try
        {
            var answer = await CallAsync(
                $"ask whether it may {verb} pods in {ns}",
                client => client.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: cancellationToken),
                cancellationToken: cancellationToken);
            // A no beside an error says only that an authorizer could not be asked.
            return answer?.Status is not { Allowed: false, EvaluationError: null or "" };
        }
        catch (Exception unknown) when (unknown is StepRefusedException or ClusterException or System.Text.Json.JsonException)
        {
            return true;
        }
    }

    private string MissingPermission(string what) => $"This identity may not {what} on cluster '{cluster}'. It lacks the role {Role}.";

    private static Func<EvictionOutcome>? Outcome(int status) => status switch
    {
        404 => () => EvictionOutcome.Gone,
        409 => () => EvictionOutcome.Replaced,
        429 => () => EvictionOutcome.Budget,
        _ => null,
    };

    private async Task<T> CallAsync<T>(string what, Func<IKubernetes, Task<T>> call, Func<int, Func<T>?>? onStatus = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await call(await connection.OpenAsync(cancellationToken));
        }
        catch (HttpOperationException refused)
        {
            var status = (int)refused.Response.StatusCode;
            if (onStatus?.Invoke(status) is { } answer)
            {
                return answer();
            }

            var words = StatusMessage(refused);
            throw status switch
            {
                401 => new StepRefusedException($"Cluster '{cluster}' does not know this identity (401), so it may not {what}. Is its token still good, or Entra sign-in on? The cluster says: {words}"),
                403 => new StepRefusedException($"{MissingPermission(what)} The cluster says: {words}"),
                _ => new ClusterException($"Cluster '{cluster}' answered {status} to: {what}. {words}", refused),
            };
        }
        catch (AzureRequestException unknown)
        {
            throw new ClusterException($"Where cluster '{cluster}' is cannot be learnt to {what}: {unknown.Message}", unknown);
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or IOException or Polly.ExecutionRejectedException
            || (unreachable is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            connection.Doubt();
            throw new ClusterException($"Cluster '{cluster}' cannot be reached to {what}: {unreachable.Message}", unreachable);
        }
    }

    private static string StatusMessage(HttpOperationException refused)
    {
        var text = refused.Response.Content ?? "";
        try
        {
            text = KubernetesJson.Deserialize<V1Status>(text)?.Message ?? text;
        }
        catch (System.Text.Json.JsonException)
        {
            // A proxy in between answered in its own words.
        }

        return Clip.To(text.Trim(), 300);
    }
}

/// <summary>How an eviction or a deletion was taken.</summary>
internal enum EvictionOutcome
{
    Accepted,

    /// <summary>There is no pod of that name any more.</summary>
    Gone,

    /// <summary>The pod of that name has another UID by now.</summary>
    Replaced,

    /// <summary>A disruption budget forbids it.</summary>
    Budget,
}
