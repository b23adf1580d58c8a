using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>The Kubernetes API as far as <c>kubectl</c> and the runbooks use it, one path prefix for each cluster.</summary>
internal sealed class KubernetesApi(SandboxClusters clusters, AccessReview access, TimeProvider time) : SandboxApi("kubernetes")
{
    private V1DeleteOptions? _lastDeletion;

    private const string Pods = "/{cluster}/api/v1/namespaces/{ns}/pods/{name}";

    public override void Map(IEndpointRouteBuilder all)
    {
        // As in the API server: a caller without the permission is refused before anything is looked up.
        var routes = all.MapGroup("").AddEndpointFilter(async (context, next) =>
            access.Denies(context.HttpContext.Request) ? KubernetesStatus.ForStatus(403, context.HttpContext.Request) : await next(context));
        routes.MapGet("/{cluster}/version", () => Results.Json(new { major = "1", minor = "33", gitVersion = "v1.33.0-practice" }));
        routes.MapGet("/{cluster}/api", (HttpContext http) => WithCluster(http, _ => Results.Json(Discovery.Core())));
        routes.MapGet("/{cluster}/apis", (HttpContext http) => WithCluster(http, _ => Results.Json(Discovery.Groups())));
        routes.MapGet("/{cluster}/api/v1", (HttpContext http) => WithCluster(http, _ => Results.Json(Discovery.Resources("api/v1"))));
        routes.MapGet("/{cluster}/apis/{group}/{version}", (HttpContext http) => WithCluster(http, _ =>
            Discovery.Resources($"apis/{Route(http, "group")}/{Route(http, "version")}") is { } found
                ? Results.Json(found)
                : KubernetesStatus.ForStatus(404, http.Request)));
        foreach (var type in ResourceType.All)
        {
            var (root, scope) = ($"/{{cluster}}/{type.Api}", type.Namespaced ? "/namespaces/{ns}" : "");
            routes.MapGet($"{root}/{type.Plural}", (Delegate)((HttpContext http) => ListAsync(http, type)));
            if (type.Namespaced)
            {
                routes.MapGet($"{root}{scope}/{type.Plural}", (Delegate)((HttpContext http) => ListAsync(http, type)));
            }

            routes.MapGet($"{root}{scope}/{type.Plural}/{{name}}", (HttpContext http) => Get(http, type));
        }

        routes.MapDelete(Pods, (Delegate)DeleteAsync);
        routes.MapPost(Pods + "/eviction", (Delegate)EvictAsync);
        routes.MapGet(
            Pods + "/log",
            (HttpContext http) => WithPod(http, (cluster, pod, life) => PodLogEndpoint.Read(http.Request, cluster, pod, life, time.GetUtcNow())));
        KubernetesChanges.Map(routes, clusters, time);
        AiGatewayRoutes.Map(routes, clusters, time);
        routes.MapPost("/{cluster}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", (Delegate)ReviewAsync);
        routes.MapPost(
            "/{cluster}/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            (Delegate)(async (HttpContext http) => AccessReview.Rules(await ReadAsync<V1SelfSubjectRulesReview>(http))));
        routes.MapFallback("/{**rest}", (HttpRequest request) => KubernetesStatus.ForStatus(404, request));
    }

    public override object Describe() => clusters.All.ToDictionary(cluster => cluster.Name, cluster => new
    {
        deletions = cluster.Deletions,
        lastDeletion = _lastDeletion is null
            ? null
            : new { uid = _lastDeletion.Preconditions?.Uid, gracePeriodSeconds = _lastDeletion.GracePeriodSeconds },
        pods = cluster.Pods().Where(pod => pod.Namespace == SandboxCluster.Namespace).Select(pod => pod.At(time.GetUtcNow()) is { } life
            ? new { name = pod.Name, uid = life.Uid, ready = life.IsReady(time.GetUtcNow()), hung = life.IsHung(time.GetUtcNow()) }
            : null),
        nodes = cluster
            .Nodes()
            .Select(node => new { name = node.Name, unschedulable = node.Unschedulable, taints = node.Taints, fault = node.Fault?.Xid }),
        workloads = cluster
            .Workloads()
            .Select(workload => new
            {
                kind = workload.Kind.ToString(),
                @namespace = workload.Namespace,
                name = workload.Name,
                replicas = workload.Replicas,
                restartedAt = workload.RestartedAt,
            }),
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

    // Runbooks meet 429 as a disruption budget, which only refuses evictions.
    public override bool CanHit(Fault fault, HttpRequest request) => fault.Status != 429 || KubernetesStatus.IsEviction(request);

    internal static string Route(HttpContext http, string key) => http.Request.RouteValues[key] as string ?? "";

    internal static async Task<T?> ReadAsync<T>(HttpContext http)
        where T : class
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (http.Request.ContentType?.StartsWith(KubernetesProtobuf.ContentType, StringComparison.Ordinal) == true)
        {
            return KubernetesProtobuf.Read(body.ToArray()) is { } read ? KubernetesJson.Deserialize<T>(read.ToJsonString()) : null;
        }

        return body.Length == 0 ? null : KubernetesJson.Deserialize<T>(Encoding.UTF8.GetString(body.ToArray()));
    }

    private async Task<IResult> ListAsync(HttpContext http, ResourceType type)
    {
        if (clusters.Find(Route(http, "cluster")) is not { } cluster)
        {
            return KubernetesStatus.ForStatus(404, http.Request);
        }

        var (ns, query) = (Route(http, "ns"), http.Request.Query);
        IEnumerable<IKubernetesObject<V1ObjectMeta>> At(DateTimeOffset moment) => type.Objects(cluster, moment)
            .Where(item => (ns.Length == 0 || item.Metadata.NamespaceProperty == ns)
                && Selectors.Matches(item, query["labelSelector"], query["fieldSelector"]));
        if (query["watch"].ToString() is "true" or "1")
        {
            await Watching.RunAsync(http, type, At, time);
            return Results.Empty;
        }

        // A continue token is a moment and an offset, so that all pages of a list show one moment.
        var from = query["continue"].ToString().Split('-');
        var now = from is [var moment, _] && long.TryParse(moment, CultureInfo.InvariantCulture, out var milliseconds)
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : time.GetUtcNow();
        var skip = from is [_, var place] && int.TryParse(place, CultureInfo.InvariantCulture, out var passed) ? passed : 0;
        var items = At(now).Skip(skip).ToList();
        var limit = int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var most) && most > 0 ? most : int.MaxValue;
        var version = now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        var metadata = items.Count > limit
            ? new V1ListMeta
            {
                ResourceVersion = version,
                ContinueProperty = $"{version}-{skip + limit}",
                RemainingItemCount = query.ContainsKey("labelSelector") || query.ContainsKey("fieldSelector") ? null : items.Count - limit,
            }
            : new V1ListMeta { ResourceVersion = version };
        return KubernetesStatus.Object(Tables.IsWanted(http.Request)
            ? Tables.Of(type, items.Take(limit), now, metadata)
            : new { kind = type.Kind + "List", apiVersion = type.ApiVersion, metadata, items = items.Take(limit).Cast<object>() });
    }

    private IResult Get(HttpContext http, ResourceType type)
    {
        var (ns, name, now) = (Route(http, "ns"), Route(http, "name"), time.GetUtcNow());
        if (clusters.Find(Route(http, "cluster")) is not { } cluster)
        {
            return KubernetesStatus.ForStatus(404, http.Request);
        }

        // Asking for a pod by name may create it.
        var found = type.Kind == "Pod"
            ? cluster.Find(ns, name) is { } pod && pod.At(now) is { } life ? PodView.Of(cluster, pod, life, now) : null
            : type
                .Objects(cluster, now)
                .FirstOrDefault(item => item.Metadata.Name == name && (!type.Namespaced || item.Metadata.NamespaceProperty == ns));
        return found is not null
            ? KubernetesStatus.Object(Tables.IsWanted(http.Request)
                ? Tables.Of(type, [found], now, new V1ListMeta { ResourceVersion = found.Metadata.ResourceVersion })
                : found)
            : KubernetesStatus.NotFound(type, name);
    }

    private async Task<IResult> ReviewAsync(HttpContext http) => access.Answer(await ReadAsync<V1SelfSubjectAccessReview>(http));

    private async Task<IResult> DeleteAsync(HttpContext http)
    {
        var options = await ReadAsync<V1DeleteOptions>(http);
        return WithPod(
            http,
            (cluster, pod, life) => Delete(
                cluster, pod, life, options, shown => KubernetesStatus.Object(PodView.Of(cluster, pod, shown, time.GetUtcNow()))));
    }

    private async Task<IResult> EvictAsync(HttpContext http)
    {
        var eviction = await ReadAsync<V1Eviction>(http);
        if (eviction is not { ApiVersion: "policy/v1", Kind: "Eviction" } || eviction.Metadata?.Name != Route(http, "name"))
        {
            return KubernetesStatus.Error(400, "BadRequest", "the body must be a policy/v1 Eviction that names the pod");
        }

        return WithPod(http, (cluster, pod, life) => Delete(cluster, pod, life, eviction.DeleteOptions, _ => KubernetesStatus.Success()));
    }

    private IResult Delete(SandboxCluster cluster, SandboxPod pod, PodLife life, V1DeleteOptions? options, Func<PodLife, IResult> answer)
    {
        _lastDeletion = options;
        if (options?.Preconditions?.Uid is { } uid && uid != life.Uid)
        {
            return KubernetesStatus.Conflict(
                "Pod",
                "",
                pod.Name,
                $"the UID in the precondition ({uid}) does not match the UID in record ({life.Uid}). "
                    + "The object might have been deleted and then recreated");
        }

        cluster.Delete(pod);
        return answer(pod.Lives.FirstOrDefault(each => each.Uid == life.Uid) ?? life);
    }

    private IResult WithPod(HttpContext http, Func<SandboxCluster, SandboxPod, PodLife, IResult> answer) => WithCluster(http, cluster =>
        cluster.Find(Route(http, "ns"), Route(http, "name")) is { } pod && pod.At(time.GetUtcNow()) is { } life
            ? answer(cluster, pod, life)
            : KubernetesStatus.NotFound(ResourceType.All[0], Route(http, "name")));

    private IResult WithCluster(HttpContext http, Func<SandboxCluster, IResult> answer) =>
        clusters.Find(Route(http, "cluster")) is { } cluster ? answer(cluster) : KubernetesStatus.ForStatus(404, http.Request);
}
