using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Prometheus;

/// <summary>A question to Prometheus. One that cannot be reached, or that does not understand the query, leaves the answer unknown.</summary>
internal abstract class PrometheusCheck<TParameters>(PrometheusClient prometheus, string name, string summary) : Check<TParameters>(name, summary)
    where TParameters : PrometheusParameters
{
    public override string Role => $"{PrometheusClient.AzureRole} on the Azure Monitor workspace; none for a Prometheus of your own";

    protected PrometheusClient Prometheus => prometheus;

    protected abstract Task<CheckResult> LookAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>What the value is held against, shown beside an unknown one as well; null when there is no such limit.</summary>
    protected virtual string? Limit(TParameters parameters) => null;

    protected sealed override async Task<CheckResult> AskAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var asked = context.Time.GetUtcNow();
        try
        {
            var result = await LookAsync(parameters, context, cancellationToken);
            return result with { MeasuredAt = prometheus.Find(parameters.Endpoint).Endpoint.MeasuredUntil(asked) };
        }
        catch (PrometheusException failed)
        {
            return CheckResult.Unknown(failed.Message) with { Threshold = Limit(parameters) };
        }
    }
}

/// <summary>Which Prometheus.</summary>
public abstract record PrometheusParameters
{
    [MaxLength(100)]
    [Description("The configured Prometheus to ask; the default one when left out.")]
    public string? Endpoint { get; init; }
}

/// <summary>Which pods' series, and over how long.</summary>
public abstract record WorkloadParameters : ClusterSeriesParameters
{
    [Required, KubernetesName]
    [Description("The namespace of the pods.")]
    public required string Namespace { get; init; }

    [KubernetesName(Subdomain = true)]
    [Description("The pod; all of the namespace when left out. Of one that is gone, and whose controller gives each pod another name, those in its place are asked about.")]
    public string? Pod { get; init; }

    [Range(typeof(TimeSpan), "00:00:30", "01:00:00")]
    [Description("How far back is looked; at least four times the scrape interval.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>A time as PromQL and as people write it.</summary>
internal static class PromDuration
{
    public static string Of(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0}s");

    public static string Words(TimeSpan time) => time.TotalSeconds < 120 ? FormattableString.Invariant($"{time.TotalSeconds:0} s") : FormattableString.Invariant($"{time.TotalMinutes:0.#} min");
}

/// <summary>The curve beside an answer of Prometheus, and where a person sees it whole.</summary>
internal static class PrometheusCurve
{
    private static readonly TimeSpan s_shown = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_step = TimeSpan.FromSeconds(15);

    /// <param name="like">The series to draw of those that the query finds; the first one when left out.</param>
    public static async Task<CheckResult> DrawAsync(
        this PrometheusClient prometheus, CheckResult result, string? endpoint, string query, TimeProvider time, CancellationToken cancellationToken, PrometheusSeries? like = null)
    {
        var recent = await RecentAsync(prometheus, endpoint, query, time, like, cancellationToken);
        return result with { Series = recent, SeriesSpan = Measurement.SpanOf(recent, s_step), Link = prometheus.LinkTo(endpoint, query) };
    }

    public static string? LinkTo(this PrometheusClient prometheus, string? endpoint, string query)
    {
        var known = prometheus.Find(endpoint).Endpoint;
        return (known.Ui ?? (known.AzureIdentity ? null : known.Url)) is { } page
            ? $"{page.TrimEnd('/')}/graph?g0.expr={Uri.EscapeDataString(query)}&g0.tab=0&g0.range_input=15m"
            : null;
    }

    // The curve is a courtesy: when it cannot be had, the verdict stands without it.
    private static async Task<IReadOnlyList<double>> RecentAsync(
        PrometheusClient prometheus, string? endpoint, string query, TimeProvider time, PrometheusSeries? like, CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetUtcNow();
            var range = await prometheus.RangeAsync(endpoint, query, now - s_shown, now, s_step, cancellationToken);
            var series = range.FirstOrDefault(one => like is null || one.IsSame(like));
            return series is null ? [] : [.. series.Values.Where(double.IsFinite).TakeLast(Measurement.MaxPoints)];
        }
        catch (PrometheusException)
        {
            return [];
        }
    }
}
