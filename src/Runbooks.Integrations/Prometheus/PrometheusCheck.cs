namespace Runbooks.Integrations.Prometheus;

/// <summary>A question to Prometheus. If it cannot be reached or does not understand the query, the result is unknown.</summary>
internal abstract class PrometheusCheck<TParameters>(PrometheusClient prometheus, string name, string summary)
    : Check<TParameters>(name, summary)
    where TParameters : PrometheusParameters
{
    public override string Role => $"{PrometheusClient.AzureRole} on the Azure Monitor workspace; none for a Prometheus of your own";

    protected PrometheusClient Prometheus => prometheus;

    protected abstract Task<CheckResult> MeasureAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>The limit of the value, shown beside an unknown one as well; null when there is none.</summary>
    protected virtual string? Limit(TParameters parameters) => null;

    /// <summary>The length of the time that the answer covers; null where it is of the moment, or where that is not known.</summary>
    protected virtual TimeSpan? WindowOf(TParameters parameters) => null;

    /// <summary>The one cluster whose series are looked at; null for any.</summary>
    protected virtual string? ClusterOf(TParameters parameters) => (parameters as ClusterSeriesParameters)?.Cluster;

    protected sealed override async Task<CheckResult> AskAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var asked = context.Time.GetUtcNow();
        try
        {
            var result = await MeasureAsync(parameters, context, cancellationToken);
            if (prometheus.Find(parameters.Endpoint).Endpoint is not { Every.Ticks: > 0 } endpoint || result.Verdict == Verdict.Unknown)
            {
                // An endpoint that scrapes nothing knows how things are when it is asked, and an unknown result has no time.
                return result;
            }

            var age = await prometheus.LastScrapeAgeAsync(
                parameters.Endpoint, ClusterOf(parameters), context.Time, cancellationToken);
            var until = endpoint.MeasuredUntil(asked, age);
            var from = asked - WindowOf(parameters);
            return result with { MeasuredAt = until, MeasuredFrom = from < until ? from : null };
        }
        catch (PrometheusException failed)
        {
            return CheckResult.Unknown(failed.Message) with { Threshold = Limit(parameters) };
        }
    }
}

public abstract record PrometheusParameters
{
    [MaxLength(100)]
    [Description("The configured Prometheus to ask; the default one when left out.")]
    public string? Endpoint { get; init; }
}

public abstract record WorkloadParameters : ClusterSeriesParameters, IValidatableObject
{
    internal static readonly TimeSpan DefaultWindow = TimeSpan.FromMinutes(5);

    [Required, KubernetesName]
    [Description("The namespace of the pods.")]
    public required string Namespace { get; init; }

    [KubernetesName(Subdomain = true)]
    [Description("The pod; all of the namespace when left out. Of one that is gone, and whose controller gives each pod another name, "
        + "those in its place are asked about.")]
    public string? Pod { get; init; }

    [KubernetesName(Subdomain = true)]
    [Description("The deployment whose pods are looked at; all of the namespace when left out. Instead of a pod.")]
    public string? Deployment { get; init; }

    [Range(typeof(TimeSpan), "00:00:30", "01:00:00")]
    [Description("How far back is looked; at least four times the scrape interval.")]
    public TimeSpan Window { get; init; } = DefaultWindow;

    internal WorkloadSeries Series => new(Namespace, Pod, Cluster) { Deployment = Deployment };

    /// <summary>
    /// The newest part of the window, with at least two samples. A server that stopped only then still has a rate over the whole
    /// window. The part follows from the author's window, so that a server with long batches is not doubted between two of them.
    /// </summary>
    internal TimeSpan LatelyOf(PrometheusClient prometheus)
    {
        var least = new[] { Window / 4, 2.5 * prometheus.Find(Endpoint).Endpoint.Every, TimeSpan.FromMinutes(1) }.Max();
        return least < Window ? least : Window;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Pod is null || Deployment is null ? [] : [new AnyValueResult("Say 'pod' or 'deployment', not both.", nameof(Deployment))];
}

internal static class PromDuration
{
    public static string Of(TimeSpan time) => $"{time.TotalSeconds:0}s";

    public static string Format(TimeSpan time) => time.TotalSeconds < 120 ? $"{time.TotalSeconds:0} s" : $"{time.TotalMinutes:0.#} min";
}

internal static class PrometheusCurve
{
    private static readonly TimeSpan s_shown = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_step = TimeSpan.FromSeconds(15);

    /// <param name="like">The series to draw of those that the query finds; the first one when left out.</param>
    public static async Task<CheckResult> DrawAsync(
        this PrometheusClient prometheus,
        CheckResult result,
        string? endpoint,
        string query,
        TimeProvider time,
        CancellationToken cancellationToken,
        PrometheusSeries? like = null)
    {
        var recent = await RecentAsync(prometheus, endpoint, query, time, like, cancellationToken);
        return result.WithCurve(recent, s_step) with { Link = prometheus.LinkTo(endpoint, query) };
    }

    public static string? LinkTo(this PrometheusClient prometheus, string? endpoint, string query)
    {
        var known = prometheus.Find(endpoint).Endpoint;
        return (known.Ui ?? (known.AzureIdentity ? null : known.Url)) is { } page
            ? $"{page.TrimEnd('/')}/graph?g0.expr={Uri.EscapeDataString(query)}&g0.tab=0&g0.range_input=15m"
            : null;
    }

    // The curve is a courtesy: without it the verdict still stands.
    private static async Task<IReadOnlyList<(DateTimeOffset At, double Value)>> RecentAsync(
        PrometheusClient prometheus,
        string? endpoint,
        string query,
        TimeProvider time,
        PrometheusSeries? like,
        CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetUtcNow();
            var range = await prometheus.RangeAsync(endpoint, query, now - s_shown, now, s_step, cancellationToken);
            var series = range.FirstOrDefault(one => like is null || one.IsSame(like));
            if (series is null)
            {
                return [];
            }

            var points = series.Times.Zip(series.Values, (at, value) => (DateTimeOffset.UnixEpoch.AddSeconds(at), Value: value));
            return [.. points.Where(point => double.IsFinite(point.Value))];
        }
        catch (PrometheusException)
        {
            return [];
        }
    }
}

/// <summary>Tells the series of several clusters apart, where one Prometheus has them, as an Azure Monitor workspace often does.</summary>
/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-default"/>
internal static class ClusterLabel
{
    public const string Name = "cluster";

    public static string Matcher(string? cluster) => cluster is null ? "" : $",{Name}=\"{cluster}\"";

    /// <summary>The same name in two clusters is two things.</summary>
    public static void RequireOne(IEnumerable<PrometheusSeries> found, string of)
    {
        var clusters = found
            .Select(series => series.Labels.GetValueOrDefault(Name, "no label"))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (clusters.Count > 1)
        {
            throw new PrometheusException($"There are series {of} from several clusters: {string.Join(", ", clusters)}. "
                + $"Say which one is meant, as '{Name}'.");
        }
    }
}

public abstract record ClusterSeriesParameters : PrometheusParameters
{
    // It is written in quotes in the query.
    [TextPattern("^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$",
        "a cluster's name: at most 100 letters, digits, dots, dashes and underscores, beginning with a letter or digit")]
    [Description("The label `cluster` of the series, which is the AKS cluster's name in managed Prometheus; "
        + "needed where one Prometheus has the same names in several clusters.")]
    public string? Cluster { get; init; }
}
