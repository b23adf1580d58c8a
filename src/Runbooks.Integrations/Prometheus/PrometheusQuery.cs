using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Prometheus;

/// <summary>Holds a value from Prometheus against a threshold.</summary>
internal sealed class PrometheusQuery(PrometheusClient prometheus)
    : Check<PrometheusQueryParameters>("prometheus.query", "Holds the value of a PromQL query against a threshold.")
{
    public static readonly TimeSpan Shown = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(15);

    public override string Role => $"{PrometheusClient.AzureRole} on the Azure Monitor workspace; none for a Prometheus of your own";

    protected override async Task<CheckResult> AskAsync(PrometheusQueryParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var failing = parameters.Failing;
        try
        {
            var found = await prometheus.QueryAsync(parameters.Endpoint, parameters.Query, cancellationToken);
            var link = Link(prometheus.Find(parameters.Endpoint).Endpoint, parameters.Query);
            if (found.Count == 0)
            {
                return await EmptyAsync(parameters, cancellationToken) with { Link = link };
            }

            var recent = await RecentAsync(parameters, failing.Worst(found, Latest), context.Time, cancellationToken);
            return Judge(parameters, found) with { Series = recent, SeriesSpan = Measurement.SpanOf(recent, Step), Link = link };
        }
        catch (PrometheusException failed)
        {
            return CheckResult.Unknown(failed.Message) with { Threshold = failing.ToString() };
        }
    }

    // A name that no exporter serves must not pass for health: what counts as healthy when empty has to exist otherwise.
    private async Task<CheckResult> EmptyAsync(PrometheusQueryParameters parameters, CancellationToken cancellationToken)
    {
        var missing = await MissingSeries.FindAsync(prometheus, parameters.Endpoint, parameters.Query, cancellationToken);
        var whenEmpty = missing.Count > 0 && parameters.WhenEmpty == WhenEmpty.Passing ? WhenEmpty.Unknown : parameters.WhenEmpty;
        return Measurement.Empty(parameters.Failing, whenEmpty, MissingSeries.Words(missing, prometheus.Find(parameters.Endpoint).Name));
    }

    private static CheckResult Judge(PrometheusQueryParameters parameters, IReadOnlyList<PrometheusSeries> found)
    {
        var worst = parameters.Failing.Worst(found, Latest);
        return Measurement.Judge(parameters.Failing, Latest(worst), parameters.Unit, found.Count == 1 ? "" : $" (the worst of {found.Count} series: {worst})");
    }

    // The curve is a courtesy: when it cannot be had, the verdict stands without it.
    private async Task<IReadOnlyList<double>> RecentAsync(
        PrometheusQueryParameters parameters, PrometheusSeries worst, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetUtcNow();
            var range = await prometheus.RangeAsync(parameters.Endpoint, parameters.Query, now - Shown, now, Step, cancellationToken);
            var series = range.FirstOrDefault(one => one.IsSame(worst));
            return series is null ? [] : [.. series.Values.Where(double.IsFinite).TakeLast(Measurement.MaxPoints)];
        }
        catch (PrometheusException)
        {
            return [];
        }
    }

    private static double Latest(PrometheusSeries series) => series.Values[^1];

    public static string? Link(PrometheusEndpoint endpoint, string query) => (endpoint.Ui ?? (endpoint.AzureIdentity ? null : endpoint.Url)) is { } page
        ? $"{page.TrimEnd('/')}/graph?g0.expr={Uri.EscapeDataString(query)}&g0.tab=0&g0.range_input=15m"
        : null;
}

public sealed record PrometheusQueryParameters
{
    [Required, QueryText, MaxLength(4000)]
    [Description("PromQL whose value now is looked at. Of several series the worst one counts.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the value is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a value.")]
    public required FailingWhen Failing { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Description("The verdict when the query finds nothing. A metric that does not exist at all is never passing; where it comes only with the first error, write `… or vector(0)`.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;

    [MaxLength(100)]
    [Description("The configured Prometheus to ask; the default one when left out.")]
    public string? Endpoint { get; init; }
}
