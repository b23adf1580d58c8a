using System.Globalization;
using k8s;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>The pods, logs, evictions and events of the Kubernetes API, one path prefix for each cluster.</summary>
internal sealed class KubernetesApi(SandboxClusters clusters, AccessReview access, TimeProvider time) : SandboxApi("kubernetes")
{
    private V1DeleteOptions? _lastDeletion;

    private const string Pods = "/{cluster}/api/v1/namespaces/{ns}/pods";

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/{cluster}/version", () => Results.Json(new { major = "1", minor = "33", gitVersion = "v1.33.0-practice" }));
        routes.MapGet("/{cluster}/api/v1/pods", List);
        routes.MapGet(Pods, List);
        routes.MapGet(Pods + "/{name}", (HttpContext http) => WithPod(http, (_, pod, life) => Show(pod, life)));
        routes.MapDelete(Pods + "/{name}", (Delegate)DeleteAsync);
        routes.MapPost(Pods + "/{name}/eviction", (Delegate)EvictAsync);
        routes.MapGet(Pods + "/{name}/log", (HttpContext http) => WithPod(http, (_, pod, life) => PodLogEndpoint.Read(http.Request, pod, life, time.GetUtcNow())));
        routes.MapGet("/{cluster}/api/v1/namespaces/{ns}/events", Events);
        routes.MapPost("/{cluster}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", (Delegate)ReviewAsync);
        routes.MapFallback("/{**rest}", (HttpRequest request) => KubernetesStatus.ForStatus(404, request));
    }

    public override object Describe() => clusters.All.ToDictionary(cluster => cluster.Name, cluster => new
    {
        deletions = cluster.Deletions,
        lastDeletion = _lastDeletion is null ? null : new { uid = _lastDeletion.Preconditions?.Uid, gracePeriodSeconds = _lastDeletion.GracePeriodSeconds },
        pods = cluster.Pods().Select(pod => pod.At(time.GetUtcNow()) is { } life
            ? new { name = pod.Name, uid = life.Uid, ready = life.IsReady(time.GetUtcNow()), hung = life.IsHung(time.GetUtcNow()) }
            : null),
    });

    public override void Reset()
    {
        _lastDeletion = null;
        foreach (var cluster in clusters.All)
        {
            cluster.Reset();
        }
    }

    public override IResult Error(int status, HttpRequest request) => KubernetesStatus.ForStatus(status, request);

    // What a runbook meets as 429 is a disruption budget, and that answers evictions only.
    public override bool CanHit(Fault fault, HttpRequest request) => fault.Status != 429 || KubernetesStatus.IsEviction(request);

    private IResult Show(SandboxPod pod, PodLife life) => KubernetesStatus.Object(PodView.Of(pod, life, time.GetUtcNow()));

    private IResult List(HttpContext http)
    {
        if (Cluster(http) is not { } cluster)
        {
            return KubernetesStatus.ForStatus(404, http.Request);
        }

        var ns = Route(http, "ns");
        var now = time.GetUtcNow();
        IEnumerable<V1Pod> pods = ns is "" or SandboxCluster.Namespace
            ? cluster.Pods().Where(pod => pod.At(now) is not null).Select(pod => PodView.Of(pod, pod.At(now)!, now))
            : [];
        return KubernetesStatus.Object(new V1PodList
        {
            ApiVersion = "v1",
            Kind = "PodList",
            Metadata = new V1ListMeta { ResourceVersion = now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) },
            Items = [.. pods.Where(pod => PodSelector.Matches(pod, http.Request.Query["labelSelector"], http.Request.Query["fieldSelector"]))],
        });
    }

    private async Task<IResult> ReviewAsync(HttpContext http) => access.Answer(await ReadAsync<V1SelfSubjectAccessReview>(http));

    private async Task<IResult> DeleteAsync(HttpContext http)
    {
        var options = await ReadAsync<V1DeleteOptions>(http);
        return access.Denies(AccessReview.Delete)
            ? KubernetesStatus.ForStatus(403, http.Request)
            : WithPod(http, (cluster, pod, life) => Delete(cluster, pod, life, options, Show));
    }

    private async Task<IResult> EvictAsync(HttpContext http)
    {
        var eviction = await ReadAsync<V1Eviction>(http);
        if (eviction is not { ApiVersion: "policy/v1", Kind: "Eviction" } || eviction.Metadata?.Name != Route(http, "name"))
        {
            return KubernetesStatus.Error(400, "BadRequest", "the body must be a policy/v1 Eviction that names the pod");
        }

        return access.Denies(AccessReview.Evict)
            ? KubernetesStatus.ForStatus(403, http.Request)
            : WithPod(http, (cluster, pod, life) => Delete(cluster, pod, life, eviction.DeleteOptions, (_, _) => KubernetesStatus.Success()));
    }

    private IResult Delete(SandboxCluster cluster, SandboxPod pod, PodLife life, V1DeleteOptions? options, Func<SandboxPod, PodLife, IResult> answer)
    {
        _lastDeletion = options;
        if (options?.Preconditions?.Uid is { } uid && uid != life.Uid)
        {
            return KubernetesStatus.UidConflict(pod.Name, uid, life.Uid);
        }

        cluster.Delete(pod);
        return answer(pod, pod.Lives.FirstOrDefault(each => each.Uid == life.Uid) ?? life);
    }

    private IResult Events(HttpContext http) => KubernetesStatus.Object(new Corev1EventList
    {
        ApiVersion = "v1",
        Kind = "EventList",
        Metadata = new V1ListMeta(),
        Items = [.. PodEvents.Of(Cluster(http), time.GetUtcNow(), http.Request.Query["fieldSelector"])],
    });

    private IResult WithPod(HttpContext http, Func<SandboxCluster, SandboxPod, PodLife, IResult> answer)
    {
        var name = Route(http, "name");
        return Cluster(http) is { } cluster && Route(http, "ns") == SandboxCluster.Namespace
            && cluster.Find(name) is { } pod && pod.At(time.GetUtcNow()) is { } life
            ? answer(cluster, pod, life)
            : KubernetesStatus.PodNotFound(name);
    }

    private SandboxCluster? Cluster(HttpContext http) => clusters.Find(Route(http, "cluster"));

    private static string Route(HttpContext http, string key) => http.Request.RouteValues[key] as string ?? "";

    private static async Task<T?> ReadAsync<T>(HttpContext http)
        where T : class
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        return body.Length == 0 ? null : KubernetesJson.Deserialize<T>(body);
    }
}

/// <summary>Answers as the Kubernetes API server gives them: objects, and <c>Status</c> for errors.</summary>
internal static class KubernetesStatus
{
    public static IResult Object(object value, int status = 200) =>
        Results.Text(KubernetesJson.Serialize(value), "application/json", statusCode: status);

    // The client's own Status type can be read but not written.
    public static IResult Error(int status, string reason, string message, string? name = null, string? cause = null) => Results.Json(
        new
        {
            kind = "Status",
            apiVersion = "v1",
            metadata = new { },
            status = "Failure",
            message,
            reason,
            details = new { name, kind = "pods", causes = cause is null ? null : new[] { new { reason = cause, message } } },
            code = status,
        },
        statusCode: status);

    public static IResult Success() => Results.Json(
        new { kind = "Status", apiVersion = "v1", metadata = new { }, status = "Success", code = 201 }, statusCode: 201);

    public static IResult PodNotFound(string name) => Error(404, "NotFound", $"pods \"{name}\" not found", name);

    public static IResult UidConflict(string name, string asked, string actual) => Error(
        409,
        "Conflict",
        $"Operation cannot be fulfilled on pods \"{name}\": the UID in the precondition ({asked}) does not match the UID in record ({actual}). The object might have been deleted and then recreated",
        name);

    public static IResult DisruptionBudget() => Error(
        429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", cause: "DisruptionBudget");

    public static IResult ForStatus(int status, HttpRequest request) => status switch
    {
        401 => Error(401, "Unauthorized", "Unauthorized"),
        403 => Error(
            403,
            "Forbidden",
            $"{request.Path} is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot {Verb(request)} resource \"pods\" in API group \"\" in the namespace \"{SandboxCluster.Namespace}\""),
        429 when IsEviction(request) => DisruptionBudget(),
        429 => Error(429, "TooManyRequests", "Too many requests, please try again later."),
        404 => Error(404, "NotFound", "the server could not find the requested resource"),
        409 or 412 => Error(409, "Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again"),
        _ => Error(status, "InternalError", "Internal error occurred: etcdserver: request timed out"),
    };

    public static bool IsEviction(HttpRequest request) => request.Path.Value!.EndsWith("/eviction", StringComparison.Ordinal);

    private static string Verb(HttpRequest request) => request.Method switch
    {
        "POST" => "create",
        "DELETE" => "delete",
        _ => "get",
    };
}

/// <summary>What whoever asks may do: everything, but for what was taken away.</summary>
internal sealed class AccessReview(FaultRegistry faults)
{
    public const string Evict = "create pods/eviction";
    public const string Delete = "delete pods";

    public bool Denies(string permission) => faults.Denies("kubernetes", permission);

    public IResult Answer(V1SelfSubjectAccessReview? review)
    {
        if (review?.Spec?.ResourceAttributes is not { Verb: { } verb, Resource: { } resource } about)
        {
            return KubernetesStatus.Error(400, "BadRequest", "the review must name a verb and a resource");
        }

        var denied = Denies($"{verb} {resource}{(string.IsNullOrEmpty(about.Subresource) ? "" : $"/{about.Subresource}")}");
        review.Status = new V1SubjectAccessReviewStatus { Allowed = !denied, Reason = denied ? "it was taken away on the sandbox" : "" };
        return KubernetesStatus.Object(review, 201);
    }
}
