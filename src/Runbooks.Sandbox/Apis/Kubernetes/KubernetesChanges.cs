using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

internal static class KubernetesChanges
{
    public static void Map(IEndpointRouteBuilder routes, SandboxClusters clusters, TimeProvider time)
    {
        routes.MapPatch("/{cluster}/api/v1/nodes/{name}", async (HttpContext http) =>
        {
            var type = ResourceType.All.First(one => one.Kind == "Node");
            if (clusters.Find(KubernetesApi.Route(http, "cluster")) is not { } cluster
                || cluster.FindNode(KubernetesApi.Route(http, "name")) is not { } node)
            {
                return KubernetesStatus.NotFound(type, KubernetesApi.Route(http, "name"));
            }

            return await PatchAsync(
                http,
                NodeView.Of(node, time.GetUtcNow()),
                changed => NodeView.Of(cluster.Change(node, now => NodeView.Apply(now, changed)), time.GetUtcNow()));
        });
        foreach (var kind in new[] { WorkloadKind.Deployment, WorkloadKind.StatefulSet })
        {
            var type = ResourceType.All.First(one => one.Kind == kind.ToString());
            var path = $"/{{cluster}}/{type.Api}/namespaces/{{ns}}/{type.Plural}/{{name}}";
            Task<IResult> With(HttpContext http, Func<SandboxCluster, Workload, Task<IResult>> answer) =>
                clusters.Find(KubernetesApi.Route(http, "cluster")) is { } cluster
                    && cluster.FindWorkload(kind, KubernetesApi.Route(http, "ns"), KubernetesApi.Route(http, "name")) is { } workload
                    ? answer(cluster, workload)
                    : Task.FromResult(KubernetesStatus.NotFound(type, KubernetesApi.Route(http, "name")));

            routes.MapPatch(path, (Delegate)((HttpContext http) => With(http, (cluster, workload) => kind == WorkloadKind.Deployment
                ? PatchAsync(http, WorkloadView.Deployment(cluster, workload, time.GetUtcNow()), changed =>
                    WorkloadView.Deployment(cluster, Apply(cluster, workload, changed.Spec.Replicas, changed.Spec.Template), time.GetUtcNow()))
                : PatchAsync(http, WorkloadView.StatefulSet(cluster, workload, time.GetUtcNow()), changed =>
                    WorkloadView.StatefulSet(cluster, Apply(cluster, workload, changed.Spec.Replicas, changed.Spec.Template), time.GetUtcNow())))));
            routes.MapGet(path + "/scale", (Delegate)((HttpContext http) => With(http, (cluster, workload) =>
                Task.FromResult(KubernetesStatus.Object(WorkloadView.Scale(cluster, workload, time.GetUtcNow()))))));
            routes.MapMethods(path + "/scale", ["PATCH", "PUT"], (Delegate)((HttpContext http) => With(http, (cluster, workload) =>
                PatchAsync(http, WorkloadView.Scale(cluster, workload, time.GetUtcNow()), changed =>
                    WorkloadView.Scale(cluster, Apply(cluster, workload, changed.Spec.Replicas, null), time.GetUtcNow())))));
        }
    }

    private static Workload Apply(SandboxCluster cluster, Workload workload, int? replicas, V1PodTemplateSpec? template)
    {
        var changed = replicas is { } count && count != workload.Replicas ? cluster.Scale(workload, count) : workload;
        var restartedAt = template?.Metadata?.Annotations?.TryGetValue(WorkloadView.RestartedAt, out var at) == true ? at : null;
        return restartedAt is not null && restartedAt != workload.RestartedAt ? cluster.Restart(changed, restartedAt) : changed;
    }

    /// <summary>A merge patch, or a strategic one of fields that it treats alike. A PUT is a patch with all fields.</summary>
    internal static async Task<IResult> PatchAsync<T>(HttpContext http, T before, Func<T, T> apply)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var type = http.Request.ContentType ?? "";
        if (http.Request.Method == "PATCH" && !type.Contains("merge-patch", StringComparison.Ordinal))
        {
            return KubernetesStatus.Error(
                415,
                "UnsupportedMediaType",
                $"the body of the request was in an unknown format - accepted media types include: "
                    + $"application/merge-patch+json, application/strategic-merge-patch+json; it is {type}");
        }

        JsonNode? patch;
        T? changed;
        try
        {
            patch = await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            var merged = JsonNode.Parse(KubernetesJson.Serialize(before))!.AsObject();
            Merge(merged, patch!.AsObject());
            changed = KubernetesJson.Deserialize<T>(merged.ToJsonString());
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            return KubernetesStatus.Error(400, "BadRequest", $"the patch cannot be read: {odd.Message}");
        }

        var about = ResourceRequest.Of(http.Request)!;
        if ((string?)patch["metadata"]?["resourceVersion"] is { Length: > 0 } version && version != before.Metadata.ResourceVersion)
        {
            return KubernetesStatus.Conflict(about.Plural, about.Group, before.Metadata.Name, KubernetesStatus.Modified);
        }

        if ((string?)patch["metadata"]?["uid"] is { Length: > 0 } uid && uid != before.Metadata.Uid)
        {
            return about.Subresource is null
                ? KubernetesStatus.UidImmutable(before, about.Group, uid)
                : KubernetesStatus.Conflict(
                    about.Resource,
                    about.Group,
                    before.Metadata.Name,
                    $"Precondition failed: UID in precondition: {uid}, UID in object meta: {before.Metadata.Uid}");
        }

        return KubernetesStatus.Object(http.Request.Query["dryRun"].Count > 0 ? changed : apply(changed));
    }

    private static void Merge(JsonObject into, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            // Names that begin with $ steer a strategic patch and are not fields.
            if (name.StartsWith('$'))
            {
                continue;
            }

            if (value is JsonObject inner && into[name] is JsonObject old)
            {
                Merge(old, inner);
            }
            else if (value is null)
            {
                into.Remove(name);
            }
            else
            {
                into[name] = value.DeepClone();
            }
        }
    }
}
