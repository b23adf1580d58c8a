namespace Runbooks.Sandbox.Apis.Exporters;

internal sealed class ScrapeTargets(SandboxClusters clusters, EngineTraffic traffic, GaugeSettings gauges)
{
    /// <summary>Creates a pod by asking for its name. This keeps several incidents apart.</summary>
    public void Ask(string pod)
    {
        foreach (var cluster in clusters.All)
        {
            cluster.Find(SandboxCluster.Namespace, pod);
        }
    }

    public IEnumerable<ScrapeTarget> All(string? pod = null) => clusters.All.SelectMany(cluster => Engines(cluster, pod).Concat(Dcgm(cluster, pod)));

    private IEnumerable<ScrapeTarget> Engines(SandboxCluster cluster, string? only) =>
        from pod in cluster.PodsEver()
        where only is null || pod.Name == only
        let container = cluster.WorkloadOf(pod) is { ServesModel: true } workload ? workload.Container : null
        where container is not null
        from life in pod.Lives
        where life.Node is not null
        select new ScrapeTarget(
            new Dictionary<string, string>
            {
                ["cluster"] = cluster.Name,
                ["job"] = container,
                ["instance"] = $"{life.Ip}:{Port(container)}",
                ["namespace"] = pod.Namespace,
                ["pod"] = pod.Name,
                ["container"] = container,
            },
            $"{container}/{pod.Namespace}/{pod.Name}",
            life.ReadyAt,
            life.DeletedAt,
            name => gauges.Apply(Families(container, pod, life, name), pod.Name))
        {
            AskedFrom = life.StartedAt,
        };

    private IEnumerable<MetricFamily> Families(string container, SandboxPod pod, PodLife life, string? name) => container switch
    {
        "tgi" => new TgiExporter(new(traffic, pod, life)).Families(name),
        "triton" => new TritonExporter(new(traffic, pod, life)).Families(name),
        _ => new VllmExporter(new(traffic, pod, life)).Families(name),
    };

    private static int Port(string container) => container switch
    {
        "tgi" => 9000,
        "triton" => 8002,
        _ => 8000,
    };

    private IEnumerable<ScrapeTarget> Dcgm(SandboxCluster cluster, string? only) =>
        from node in cluster.Nodes()
        where node.Gpus > 0
        from pod in cluster.PodsEver()
        where pod.App == "dcgm-exporter" && pod.Last.Node == node.Name
        select new ScrapeTarget(
            new Dictionary<string, string>
            {
                ["cluster"] = cluster.Name,
                ["job"] = "dcgm-exporter",
                ["instance"] = $"{pod.Last.Ip}:9400",
                ["namespace"] = pod.Namespace,
                ["pod"] = pod.Name,
                ["container"] = "exporter",
            },
            $"dcgm/{node.Name}",
            pod.Last.ReadyAt,
            pod.Last.DeletedAt,
            name => gauges.Apply(new DcgmExporter(cluster, node).Families(name, only), null));
}

/// <summary>The exporters for a real Prometheus: each at its own path, and a list of them as HTTP service discovery.</summary>
/// <seealso href="https://prometheus.io/docs/prometheus/latest/http_sd/"/>
internal sealed class ExportersApi(ScrapeTargets targets, EngineTraffic traffic, GaugeSettings gauges, TimeProvider time) : SandboxApi("exporters")
{
    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/targets", (HttpRequest request) => Results.Json(targets.All().Where(target => target.IsUp(time.GetUtcNow())).Select(target => new
        {
            targets = new[] { request.Host.Value },
            labels = new Dictionary<string, string>(target.Labels) { ["__metrics_path__"] = $"/exporters/{target.Path}/metrics" },
        })));
        routes.MapGet("/{**path}", (HttpRequest request, string path) =>
            path.EndsWith("/metrics", StringComparison.Ordinal)
                && targets.All().FirstOrDefault(target => target.IsUp(time.GetUtcNow()) && $"{target.Path}/metrics" == path) is { } found
                ? Results.Text(
                    Exposition.Write(found.Families(null), time.GetUtcNow(), asFloats: found.Labels["job"] == "vllm"),
                    Exposition.ContentType)
                : Error(404, request));
        routes.MapPost("/_gauges", async (HttpRequest request) => PracticeBody.Answer(await gauges.ReadAsync(request, targets)));
    }

    public override object Describe() =>
        new { targets = targets.All().Where(target => target.IsUp(time.GetUtcNow())).Select(target => target.Path), gauges = gauges.All };

    public override void Reset()
    {
        traffic.Reset();
        gauges.Reset();
    }

    public override IResult Error(int status, HttpRequest request) =>
        Results.Text(status == 404 ? "404 page not found\n" : "the sandbox was told to fail\n", statusCode: status);
}

/// <param name="Pod">Null for all pods.</param>
/// <param name="Value">Null for its simulated value again.</param>
internal sealed record SetGauge(string Metric, string? Pod, double? Value, DateTimeOffset Since = default);

/// <summary>Gauges that somebody has set to a value, to practise on: <c>POST /exporters/_gauges</c>.</summary>
internal sealed class GaugeSettings(SandboxChanges changes, TimeProvider time) : IRemembered
{
    private const int MostKept = 200;
    private IReadOnlyList<SetGauge> _set = [];

    string IRemembered.Key => "exporters/gauges";

    public IReadOnlyList<SetGauge> All => _set;

    public void Reset()
    {
        _set = [];
        changes.Touch();
    }

    JsonNode? IRemembered.Save() => JsonSerializer.SerializeToNode(_set, SandboxMemory.Json);

    void IRemembered.Load(JsonNode saved) => _set = saved.Deserialize<List<SetGauge>>(SandboxMemory.Json)!;

    public IEnumerable<MetricFamily> Apply(IEnumerable<MetricFamily> families, string? pod)
    {
        var set = _set;
        return set.Count == 0
            ? families
            : families.Select(family => family with { Series = [.. family.Series.Select(series => Set(series, set, pod))] });
    }

    public async Task<string?> ReadAsync(HttpRequest request, ScrapeTargets targets)
    {
        const string Example = "{\"metric\":\"vllm:num_requests_waiting\",\"pod\":\"llm-b-1\",\"value\":40}; "
            + "without 'value' it goes its own way again.";
        var (gauge, problem) = await PracticeBody.ReadAsync<SetGauge>(request, Example);
        if (problem is not null)
        {
            return $"Not a gauge: {problem}";
        }

        var known = targets.All()
            .SelectMany(target => target.Families(null))
            .Where(family => family.Type == "gauge")
            .Select(family => family.Name)
            .ToHashSet();
        if (gauge?.Metric is null || !known.Contains(gauge.Metric))
        {
            return $"No exporter has a gauge '{gauge?.Metric}'. Example: {Example}";
        }

        // Earlier values stay, since queries look back.
        _set = [.. _set.TakeLast(MostKept - 1), gauge with { Since = time.GetUtcNow() }];
        changes.Touch();
        return null;
    }

    private static ExposedSeries Set(ExposedSeries series, IReadOnlyList<SetGauge> set, string? pod)
    {
        var whose = pod ?? series.Labels.FirstOrDefault(label => label.Key == "pod").Value;
        var mine = set.Where(one => !series.IsUnused && one.Metric == series.Name && (one.Pod is null || one.Pod == whose)).ToList();
        return mine.Count == 0 ? series : series with { Value = at => mine.FindLast(one => one.Since <= at)?.Value ?? series.Value(at) };
    }
}

/// <param name="Path">The address of its <c>/metrics</c>, below <c>/exporters</c>.</param>
internal sealed record ScrapeTarget(
    IReadOnlyDictionary<string, string> Labels, string Path, DateTimeOffset Start, DateTimeOffset? End, Func<string?, IEnumerable<MetricFamily>> Families)
{
    /// <summary>Prometheus tries to scrape it from then on, in vain until <see cref="Start"/>.</summary>
    public DateTimeOffset AskedFrom { get; init; } = Start;

    public bool IsUp(DateTimeOffset at) => Start <= at && !(End <= at);
}

internal sealed record MetricFamily(string Name, string Type, string Help, IReadOnlyList<ExposedSeries> Series)
{
    /// <summary>Whether a family can have a series of this name. Asked first, so that most families need not be made.</summary>
    public static bool MayHold(string family, string? series) => series is null || series.StartsWith(family, StringComparison.Ordinal);
}

/// <summary>One line of an exposition, at any moment.</summary>
/// <param name="Value">Null while it is not exposed.</param>
internal sealed record ExposedSeries(string Name, IReadOnlyList<KeyValuePair<string, string>> Labels, Func<DateTimeOffset, double?> Value)
{
    /// <summary>It always shows 0, and cannot be set.</summary>
    public bool IsUnused { get; init; }
}

/// <seealso href="https://prometheus.io/docs/instrumenting/exposition_formats/"/>
internal static class Exposition
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="asFloats">Whole numbers with <c>.0</c>, as Python's client writes them.</param>
    public static string Write(IEnumerable<MetricFamily> families, DateTimeOffset at, bool asFloats)
    {
        var text = new StringBuilder();
        foreach (var family in families.Where(family => family.Series.Any(series => series.Value(at) is not null)))
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {family.Name} {family.Help}\n# TYPE {family.Name} {family.Type}\n");
            foreach (var series in family.Series)
            {
                if (series.Value(at) is { } value)
                {
                    text.Append(
                        CultureInfo.InvariantCulture,
                        $"{series.Name}{Labels(series.Labels)} {Number(value)}{(asFloats && value == Math.Floor(value) && !double.IsInfinity(value) ? ".0" : "")}\n");
                }
            }
        }

        return text.ToString();
    }

    public static string Labels(IEnumerable<KeyValuePair<string, string>> labels)
    {
        var text = string.Join(
            ',',
            labels.Select(label => $"{label.Key}=\"{label.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
        return text.Length == 0 ? "" : $"{{{text}}}";
    }

    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
