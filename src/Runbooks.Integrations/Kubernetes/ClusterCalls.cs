using Azure.Identity;
using k8s;
using k8s.Autorest;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class ClusterCalls(IClusterConnection connection, string cluster, string role)
{
    private const int PageSize = 500;
    private const int MostPages = 20;

    /// <summary>
    /// How an admission plug-in says no; a webhook chooses the status freely (kubernetes/kubernetes,
    /// staging/src/k8s.io/apiserver/pkg/admission/plugin: webhook/errors, policy/validating).
    /// </summary>
    private static readonly string[] s_denials = ["denied the request", "denied request:"];

    public string Cluster => cluster;

    public string? Link { get; init; }

    /// <summary>Whether this identity may do it; true as well when the cluster does not tell.</summary>
    public async Task<bool> MayAsync(string verb, ClusterObject on, CancellationToken cancellationToken)
    {
        var about = new V1ResourceAttributes
        {
            Verb = verb,
            Group = on.Group,
            Resource = on.Resource,
            Subresource = on.Subresource,
            NamespaceProperty = on.Namespace,
            Name = on.Name,
        };
        var review = new V1SelfSubjectAccessReview { Spec = new V1SelfSubjectAccessReviewSpec { ResourceAttributes = about } };
        try
        {
            var answer = await SendAsync(
                $"ask whether it may {verb} {on.Resource}",
                client => client.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: cancellationToken),
                onStatus: null,
                cancellationToken);
            // A no with an error beside it says only that an authorizer could not be asked.
            return answer?.Status is not { Allowed: false, EvaluationError: null or "" };
        }
        catch (Exception unknown) when (unknown is StepRefusedException or ClusterException or System.Text.Json.JsonException)
        {
            return true;
        }
    }

    public string MissingPermission(string what) => $"This identity may not {what} on cluster '{cluster}'. It needs {role}.";

    public Task<IReadOnlyList<T>> ListAsync<TList, T>(
        string what,
        Func<IKubernetes, int, string?, Task<TList>> page,
        Func<int, Func<IReadOnlyList<T>>?>? onStatus,
        CancellationToken cancellationToken)
        where TList : IKubernetesObject<V1ListMeta>, IItems<T> =>
        SendAsync<IReadOnlyList<T>>(
            what,
            async client =>
            {
                var (all, next) = (new List<T>(), (string?)null);
                for (var pages = 0; pages < MostPages; pages++)
                {
                    var list = await page(client, PageSize, next);
                    all.AddRange((list.Items ?? throw Odd(what)).Select(item => Known(what, item)));
                    next = list.Metadata?.ContinueProperty;
                    if (string.IsNullOrEmpty(next))
                    {
                        return all;
                    }
                }

                throw new ClusterException($"Cluster '{cluster}' has more than {MostPages * PageSize} objects to look through to {what}, "
                    + "and the one that is meant may be among the others.");
            },
            onStatus,
            cancellationToken);

    public Task<T?> FindAsync<T>(string what, Func<IKubernetes, Task<T>> call, CancellationToken cancellationToken)
        where T : class =>
        SendAsync<T?>(what, async client => Known(what, await call(client)), status => status == 404 ? () => null : null, cancellationToken);

    public Task<bool> PatchAsync(
        string what, JsonObject patch, Func<IKubernetes, V1Patch, Task> send, CancellationToken cancellationToken) => SendAsync(
        what,
        async client =>
        {
            await send(client, new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch));
            return true;
        },
        status => status == 409 ? () => false : null,
        cancellationToken);

    public async Task<T> SendAsync<T>(
        string what, Func<IKubernetes, Task<T>> call, Func<int, Func<T>?>? onStatus, CancellationToken cancellationToken)
    {
        try
        {
            return await call(await connection.OpenAsync(cancellationToken));
        }
        catch (HttpOperationException refused)
        {
            var (status, words) = ((int)refused.Response.StatusCode, StatusMessage(refused));
            // A read may come after the change that it looks at, so its failure does not say that nothing was done.
            var nothingDone = refused.Request?.Method is { } method && method != HttpMethod.Get;
            if (s_denials.Any(denial => words.Contains(denial, StringComparison.Ordinal)))
            {
                throw new StepRefusedException($"A policy of cluster '{cluster}' denied the request ({status}) to {what}, "
                    + $"and no role changes that. The cluster says: {words}") { NothingDone = nothingDone };
            }

            if (!IsThrottled(refused) && onStatus?.Invoke(status) is { } answer)
            {
                return answer();
            }

            if (status == 401)
            {
                connection.Invalidate(reached: true);
            }

            throw status switch
            {
                401 => new StepRefusedException($"Cluster '{cluster}' does not know this identity (401), so it may not {what}. "
                    + $"Is its token still good, or Entra sign-in on? The cluster says: {words}") { NothingDone = nothingDone },
                403 => new StepRefusedException($"{MissingPermission(what)} The cluster says: {words}") { NothingDone = nothingDone },
                429 => new ClusterException($"Cluster '{cluster}' has too much to do at the moment (429) to: {what}. {words}", refused)
                {
                    NothingDone = nothingDone,
                },
                _ => new ClusterException($"Cluster '{cluster}' answered {status} to: {what}. {words}", refused)
                {
                    Status = status,
                    NothingDone = nothingDone && status is >= 400 and < 500 and not 408,
                },
            };
        }
        catch (System.Text.Json.JsonException odd)
        {
            throw Odd(what, odd);
        }
        catch (AuthenticationFailedException failed)
        {
            throw new ClusterException($"No token to {what} on cluster '{cluster}': {Clip.To(failed.Message, 300)}", failed);
        }
        catch (AzureRequestException unknown)
        {
            throw new ClusterException($"Where cluster '{cluster}' is cannot be learnt to {what}: {unknown.Message}", unknown);
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or IOException or Polly.ExecutionRejectedException
            || (unreachable is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            connection.Invalidate(reached: false);
            throw new ClusterException($"Cluster '{cluster}' {OwnNetwork.Describe(unreachable, what)}", unreachable);
        }
    }

    /// <summary>What answers may be no API server.</summary>
    private T Known<T>(string what, T found) => found switch
    {
        null or IMetadata<V1ObjectMeta> { Metadata: null or { Name: null } } => throw Odd(what),
        _ => found,
    };

    private ClusterException Odd(string what, Exception? inner = null) =>
        new($"Cluster '{cluster}' answered to: {what}, and not as its API does.", inner);

    /// <summary>
    /// The API server answers 429 when it has too much to do, and when a disruption budget forbids an eviction. Only then it names the
    /// budget as the cause (kubernetes/kubernetes, pkg/registry/core/pod/storage/eviction.go).
    /// </summary>
    private static bool IsThrottled(HttpOperationException refused) =>
        refused.Response.StatusCode == System.Net.HttpStatusCode.TooManyRequests
        && StatusOf(refused)?.Details?.Causes?.Any(cause => cause.Reason == "DisruptionBudget") != true;

    private static string StatusMessage(HttpOperationException refused) =>
        Clip.To((StatusOf(refused)?.Message ?? refused.Response.Content ?? "").Trim(), 300);

    /// <returns>Null when a proxy in between answered in its own format.</returns>
    private static V1Status? StatusOf(HttpOperationException refused)
    {
        try
        {
            return KubernetesJson.Deserialize<V1Status>(refused.Response.Content ?? "");
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}

/// <summary>What an access review asks about; the group is empty for the core API, the namespace null for nodes.</summary>
internal sealed record ClusterObject(string Group, string Resource, string? Subresource, string? Namespace, string Name);
