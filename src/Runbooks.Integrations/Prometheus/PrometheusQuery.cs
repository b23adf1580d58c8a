using Runbooks.Integrations.Metrics;
using Runbooks.Steps;

namespace Runbooks.Integrations.Prometheus;

/// <summary>Holds a value from Prometheus against a threshold.</summary>
internal sealed class PrometheusQuery(PrometheusClient prometheus)
    : Check<PrometheusQueryParameters>("prometheus.query", "Holds the value of a PromQL query against a threshold.")
{
    private static readonly TimeSpan Shown = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(15);
    private const int MostPoints = 60;

    public override string Role => "Monitoring Data Reader on the Azure Monitor workspace; none for a Prometheus of your own";

    protected override async Task<CheckResult> AskAsync(PrometheusQueryParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var failing = parameters.Failing;
        try
        {
            var found = await prometheus.QueryAsync(parameters.Endpoint, parameters.Query, cancellationToken);
            var link = Link(prometheus.Find(parameters.Endpoint).Endpoint, parameters.Query);
            return found.Count == 0
                ? Empty(parameters) with { Threshold = failing.ToString(), Link = link }
                : Judge(parameters, found) with
                {
                    Series = await RecentAsync(parameters, failing.Worst(found, Latest), context.Time, cancellationToken),
                    Link = link,
                };
        }
        catch (PrometheusException failed)
        {
            return CheckResult.Unknown(failed.Message) with { Threshold = failing.ToString() };
        }
    }

    private static CheckResult Empty(PrometheusQueryParameters parameters)
    {
        const string Nothing = "The query found nothing";
        return (parameters.Failing.IsAbsent, parameters.WhenEmpty) switch
        {
            (true, _) => CheckResult.Failing($"{Nothing}; there should be a value."),
            (_, WhenEmpty.Passing) => CheckResult.Passing($"{Nothing}, which counts as healthy here."),
            (_, WhenEmpty.Failing) => CheckResult.Failing($"{Nothing}, which counts as failing here."),
            _ => CheckResult.Unknown($"{Nothing}: no series matches it now. Is the target still scraped?"),
        };
    }

    private static CheckResult Judge(PrometheusQueryParameters parameters, IReadOnlyList<PrometheusSeries> found)
    {
        var failing = parameters.Failing;
        var worst = failing.Worst(found, Latest);
        var value = Latest(worst);
        var text = FailingWhen.Number(value);
        var measured = parameters.Unit is null ? text : $"{text} {parameters.Unit}";
        var among = found.Count == 1 ? "" : $" (the worst of {found.Count} series: {worst})";
        var (verdict, held) = (failing.IsAbsent, double.IsNaN(value), failing.Holds(value)) switch
        {
            (true, _, _) => (Verdict.Passing, "there is a value"),
            (_, true, _) => (Verdict.Unknown, "not a number, so it says nothing"),
            (_, _, true) => (Verdict.Failing, $"failing is {failing}"),
            _ => (Verdict.Passing, $"failing would be {failing}"),
        };
        return new CheckResult(verdict, $"{measured}{among}; {held}.") { Value = text, Threshold = failing.ToString(), Unit = parameters.Unit };
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
            return series is null ? [] : [.. series.Values.Where(double.IsFinite).TakeLast(MostPoints)];
        }
        catch (PrometheusException)
        {
            return [];
        }
    }

    private static double Latest(PrometheusSeries series) => series.Values[^1];

    private static string Link(PrometheusEndpoint endpoint, string query) =>
        $"{(endpoint.Ui ?? endpoint.Url).TrimEnd('/')}/graph?g0.expr={Uri.EscapeDataString(query)}&g0.tab=0&g0.range_input=15m";
}
