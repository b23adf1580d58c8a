using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <param name="Wide">Shown by <c>-o wide</c> only.</param>
internal sealed record TableColumn(string Name, Func<object, DateTimeOffset, object?> Cell, bool Wide = false);

/// <summary>Lists as the API server prints them for <c>kubectl get</c>.</summary>
/// <seealso href="https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables"/>
internal static class Tables
{
    public static readonly TableColumn[] Names = [Name(), Age()];

    public static readonly TableColumn[] Pods =
    [
        Name(),
        Of<V1Pod>("Ready", pod => $"{pod.Status.ContainerStatuses?.Count(status => status.Ready) ?? 0}/{pod.Spec.Containers.Count}"),
        Of<V1Pod>("Status", pod => pod.Metadata.DeletionTimestamp is not null
            ? "Terminating"
            : pod.Status.ContainerStatuses?.Select(status => status.State.Waiting?.Reason).FirstOrDefault(reason => reason is not null)
                ?? pod.Status.Phase),
        Of<V1Pod>("Restarts", pod => pod.Status.ContainerStatuses?.Sum(status => status.RestartCount) ?? 0),
        Age(),
        Of<V1Pod>("IP", pod => pod.Status.PodIP ?? "<none>", wide: true),
        Of<V1Pod>("Node", pod => pod.Spec.NodeName ?? "<none>", wide: true),
    ];

    public static readonly TableColumn[] Nodes =
    [
        Name(),
        Of<V1Node>(
            "Status",
            node => (node.Status.Conditions.Any(condition => condition is { Type: "Ready", Status: "True" })
                ? "Ready"
                : "NotReady") + (node.Spec.Unschedulable == true ? ",SchedulingDisabled" : "")),
        Of<V1Node>("Roles", _ => "<none>"),
        Age(),
        Of<V1Node>("Version", node => node.Status.NodeInfo.KubeletVersion),
        Of<V1Node>("Internal-IP", node => node.Status.Addresses[0].Address, wide: true),
        Of<V1Node>("OS-Image", node => node.Status.NodeInfo.OsImage, wide: true),
    ];

    public static readonly TableColumn[] Events =
    [
        new("Last Seen", (item, now) => Duration(now - ((Corev1Event)item).LastTimestamp)),
        Of<Corev1Event>("Type", each => each.Type),
        Of<Corev1Event>("Reason", each => each.Reason),
        Of<Corev1Event>("Object", each => $"{each.InvolvedObject.Kind.ToLowerInvariant()}/{each.InvolvedObject.Name}"),
        Of<Corev1Event>("Message", each => each.Message),
    ];

    public static readonly TableColumn[] Namespaces = [Name(), Of<V1Namespace>("Status", ns => ns.Status.Phase), Age()];

    public static readonly TableColumn[] Deployments =
    [
        Name(),
        Of<V1Deployment>("Ready", one => $"{one.Status.ReadyReplicas ?? 0}/{one.Spec.Replicas ?? 0}"),
        Of<V1Deployment>("Up-to-date", one => one.Status.UpdatedReplicas ?? 0),
        Of<V1Deployment>("Available", one => one.Status.AvailableReplicas ?? 0),
        Age(),
    ];

    public static readonly TableColumn[] ReplicaSets =
    [
        Name(),
        Of<V1ReplicaSet>("Desired", one => one.Spec.Replicas ?? 0),
        Of<V1ReplicaSet>("Current", one => one.Status.Replicas),
        Of<V1ReplicaSet>("Ready", one => one.Status.ReadyReplicas ?? 0),
        Age(),
    ];

    // Only the columns of the custom resource's definition, which have no age.
    public static readonly TableColumn[] AiGatewayRoutes =
    [
        Name(),
        Of<AiGatewayRouteObject>("Status", one => (string?)one.Status?["conditions"]?.AsArray().LastOrDefault()?["type"] ?? ""),
    ];

    public static readonly TableColumn[] StatefulSets =
        [Name(), Of<V1StatefulSet>("Ready", one => $"{one.Status.ReadyReplicas ?? 0}/{one.Spec.Replicas ?? 0}"), Age()];

    public static readonly TableColumn[] DaemonSets =
    [
        Name(),
        Of<V1DaemonSet>("Desired", one => one.Status.DesiredNumberScheduled),
        Of<V1DaemonSet>("Current", one => one.Status.CurrentNumberScheduled),
        Of<V1DaemonSet>("Ready", one => one.Status.NumberReady),
        Age(),
    ];

    public static bool IsWanted(HttpRequest request) => request.Headers.Accept.ToString().Contains("as=Table", StringComparison.Ordinal);

    public static object Of(ResourceType type, IEnumerable<IKubernetesObject<V1ObjectMeta>> items, DateTimeOffset now, V1ListMeta metadata) => new
    {
        kind = "Table",
        apiVersion = "meta.k8s.io/v1",
        metadata,
        columnDefinitions = type.Columns.Select(column => new
        {
            name = column.Name,
            type = "string",
            format = column.Name == "Name" ? "name" : "",
            description = column.Name,
            priority = column.Wide ? 1 : 0,
        }),
        rows = items.Select(item => new
        {
            cells = type.Columns.Select(column => column.Cell(item, now)),
            @object = new { kind = "PartialObjectMetadata", apiVersion = "meta.k8s.io/v1", metadata = item.Metadata },
        }),
    };

    private static TableColumn Name() => new("Name", (item, _) => ((IKubernetesObject<V1ObjectMeta>)item).Metadata.Name);

    private static TableColumn Age() => new("Age", (item, now) => Duration(now - ((IKubernetesObject<V1ObjectMeta>)item).Metadata.CreationTimestamp));

    private static TableColumn Of<T>(string name, Func<T, object?> cell, bool wide = false) => new(name, (item, _) => cell((T)item), wide);

    /// <summary>As kubectl writes ages: <c>6d</c>, <c>5h12m</c>, <c>90s</c>.</summary>
    private static string Duration(TimeSpan? time) => time switch
    {
        null => "<unknown>",
        { TotalMinutes: < 2 } => $"{Math.Max(0, (int)time.Value.TotalSeconds)}s",
        { TotalHours: < 3 } => $"{(int)time.Value.TotalMinutes}m",
        { TotalHours: < 48 } => $"{(int)time.Value.TotalHours}h",
        _ => $"{(int)time.Value.TotalDays}d",
    };
}

/// <summary>
/// Label and field selectors of a list request: equality and inequality, <c>in</c> and <c>notin</c>, a comma for "and", a bare label
/// for "has it".
/// </summary>
internal static class Selectors
{
    public static bool Matches(IKubernetesObject<V1ObjectMeta> item, string? labelSelector, string? fieldSelector)
    {
        if (string.IsNullOrEmpty(labelSelector) && string.IsNullOrEmpty(fieldSelector))
        {
            return true;
        }

        // Fields are read from the object's JSON, so any field can be asked for.
        var json = new Lazy<JsonNode?>(() => JsonNode.Parse(KubernetesJson.Serialize(item)));
        return Terms(labelSelector).All(term => Holds(
            term, key => item.Metadata.Labels?.TryGetValue(key, out var value) == true ? value : null, bareMeansHas: true))
            && Terms(fieldSelector).All(term => Holds(term, key => Field(json.Value, key) ?? "", bareMeansHas: false));
    }

    private static string? Field(JsonNode? item, string path) =>
        path.Split('.').Aggregate(item, (node, name) => (node as JsonObject)?[name])?.ToString();

    // A comma inside brackets belongs to a set.
    private static IEnumerable<string> Terms(string? selector)
    {
        var (depth, start, text) = (0, 0, selector ?? "");
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                if (text[start..i].Trim() is { Length: > 0 } term)
                {
                    yield return term;
                }

                start = i + 1;
            }
            else
            {
                depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            }
        }
    }

    private static bool Holds(string term, Func<string, string?> read, bool bareMeansHas)
    {
        if (term.IndexOf('(', StringComparison.Ordinal) is var bracket and > 0)
        {
            var words = term[..bracket].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var within = term[(bracket + 1)..].TrimEnd(')').Split(',', StringSplitOptions.TrimEntries).Contains(read(words[0]));
            return words[^1] == "notin" ? !within : within;
        }

        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
        {
            return !bareMeansHas || (term.StartsWith('!') ? read(term[1..]) is null : read(term) is not null);
        }

        var wanted = term[(at + 1)..].TrimStart('=').Trim();
        return term[at - 1] == '!' ? read(term[..(at - 1)].Trim()) != wanted : read(term[..at].Trim()) == wanted;
    }
}

/// <summary>
/// A watch: the changes since the version that the client has seen, and from then on. It needs no memory: versions are moments in
/// milliseconds, and the objects of any moment can be worked out.
/// </summary>
internal static class Watching
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(30);

    public static async Task RunAsync(
        HttpContext http, ResourceType type, Func<DateTimeOffset, IEnumerable<IKubernetesObject<V1ObjectMeta>>> at, TimeProvider time)
    {
        var query = http.Request.Query;
        var until = time.GetUtcNow() + (int.TryParse(query["timeoutSeconds"], CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : s_longest);
        var known = long.TryParse(query["resourceVersion"], CultureInfo.InvariantCulture, out var version) && version > 0
            ? at(DateTimeOffset.FromUnixTimeMilliseconds(version)).Where(item => VersionOf(item) <= version).ToDictionary(item => item.Metadata.Uid)
            : [];
        var asTable = Tables.IsWanted(http.Request);
        http.Response.ContentType = "application/json";
        await http.Response.StartAsync(http.RequestAborted);
        while (!http.RequestAborted.IsCancellationRequested && time.GetUtcNow() < until)
        {
            var now = time.GetUtcNow();
            var current = at(now).ToDictionary(item => item.Metadata.Uid);
            var events = known.Values.Where(item => !current.ContainsKey(item.Metadata.Uid)).Select(item => ("DELETED", item))
                .Concat(current.Values.Where(item => !known.ContainsKey(item.Metadata.Uid)).Select(item => ("ADDED", item)))
                .Concat(current.Values
                    .Where(item => known.TryGetValue(item.Metadata.Uid, out var before) && VersionOf(before) < VersionOf(item))
                    .Select(item => ("MODIFIED", item)));
            foreach (var (kind, item) in events)
            {
                var shown = asTable ? Tables.Of(type, [item], now, new V1ListMeta { ResourceVersion = item.Metadata.ResourceVersion }) : item;
                await http.Response.WriteAsync(
                    $"{{\"type\":\"{kind}\",\"object\":{KubernetesJson.Serialize(shown)}}}\n", Encoding.UTF8, http.RequestAborted);
            }

            await http.Response.Body.FlushAsync(http.RequestAborted);
            known = current;
            await Task.Delay(s_pause, time, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static long VersionOf(IKubernetesObject<V1ObjectMeta> item) => long.Parse(item.Metadata.ResourceVersion, CultureInfo.InvariantCulture);
}
