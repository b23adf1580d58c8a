using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Monitor;

/// <summary>Holds the latest value of a metric that Azure keeps against a threshold.</summary>
internal sealed class MetricCheck(AzureMetrics metrics)
    : Check<MetricParameters>("azureMonitor.metric", "Holds the latest value of an Azure Monitor metric against a threshold.")
{
    public override string Role => AzureMetrics.Role;

    protected override async Task<CheckResult> AskAsync(MetricParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = new ArmTarget(parameters.Resource, "", Role);
        var question = new MetricQuestion(parameters.Metric, parameters.Aggregation, parameters.Over, Grain(parameters.Over), parameters.Namespace, parameters.Filter);
        var found = await metrics.ReadAsync(target, question, context.Time, cancellationToken);
        if (found.Count == 0)
        {
            return Reading.Empty(parameters.Failing, parameters.WhenEmpty, $"{target.Words} has no value of {parameters.Metric} in this time.") with { Link = Link(target) };
        }

        var worst = parameters.Failing.Worst(found, series => series.Values[^1]);
        var among = found.Count == 1 ? "" : $" (the worst of {found.Count}: {worst})";
        return Reading.Judge(parameters.Failing, worst.Values[^1], parameters.Unit, among) with
        {
            Series = [.. worst.Values.TakeLast(Reading.MostPoints)],
            Link = Link(target),
        };
    }

    // The widths that every metric can be had in; as fine as at most an hour of points allows.
    private static TimeSpan Grain(TimeSpan over) => TimeSpan.FromMinutes(over.TotalHours switch { <= 1 => 1, <= 5 => 5, _ => 30 });

    private static string Link(ArmTarget target) => $"{target.PortalLink}/metrics";
}
