using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Prometheus;

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
