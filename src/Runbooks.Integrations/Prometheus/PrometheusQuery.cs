using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Prometheus;

/// <summary>Holds a value from Prometheus against a threshold.</summary>
internal sealed class PrometheusQuery(PrometheusClient prometheus)
    : PrometheusCheck<PrometheusQueryParameters>(prometheus, "prometheus.query", "Holds the value of a PromQL query against a threshold.")
{
    public override IReadOnlyList<Doubt> DoubtsOf(JsonElement with) =>
        WithText.Of(with, "query") is { } query && WithText.Failing(with) is { } failing && KnownRange.OfPromQl(query)?.Doubt(failing, "the query's value") is { } doubt ? [doubt] : [];

    public override bool MayFindNothing(JsonElement with) =>
        WithText.LeavesEmptyOpen(with) && WithText.Of(with, "query")?.Replace(" ", "", StringComparison.Ordinal).Contains("orvector(", StringComparison.Ordinal) != true;

    protected override async Task<CheckResult> LookAsync(PrometheusQueryParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var failing = parameters.Failing;
        var found = await Prometheus.QueryAsync(parameters.Endpoint, parameters.Query, cancellationToken);
        if (found.Count == 0)
        {
            return await EmptyAsync(parameters, cancellationToken) with { Link = Prometheus.LinkTo(parameters.Endpoint, parameters.Query) };
        }

        return await Prometheus.DrawAsync(
            Judge(parameters, found), parameters.Endpoint, parameters.Query, context.Time, cancellationToken, like: failing.Worst(found, Latest));
    }

    protected override string Limit(PrometheusQueryParameters parameters) => parameters.Failing.ToString();

    // A name that no exporter serves must not pass for health: what counts as healthy when empty has to exist otherwise.
    private async Task<CheckResult> EmptyAsync(PrometheusQueryParameters parameters, CancellationToken cancellationToken)
    {
        if (parameters.Failing.IsAbsent || parameters.WhenEmpty == WhenEmpty.Failing)
        {
            return Measurement.Empty(parameters.Failing, parameters.WhenEmpty, "");
        }

        string? doubt;
        try
        {
            doubt = await MissingSeries.DoubtAsync(Prometheus, parameters.Endpoint, parameters.Query, cancellationToken);
        }
        catch (PrometheusException failed)
        {
            doubt = $"whether what it names exists could not be asked. {failed.Message}";
        }

        return Measurement.Empty(parameters.Failing, doubt is null ? parameters.WhenEmpty : WhenEmpty.Unknown, doubt ?? "no series matches it now. Is the target still scraped?");
    }

    private static CheckResult Judge(PrometheusQueryParameters parameters, IReadOnlyList<PrometheusSeries> found)
    {
        var worst = parameters.Failing.Worst(found, Latest);
        return Measurement.Judge(parameters.Failing, Latest(worst), parameters.Unit, found.Count == 1 ? "" : $" (the worst of {found.Count} series: {worst})")
            .UnlessSilent(parameters.Failing, found.FirstOrDefault(series => double.IsNaN(Latest(series))) is { } silent ? $"{silent} is not a number. Where nothing is asked of a part, a ratio has no value: leave it out with `… / (… > 0)`" : null);
    }

    private static double Latest(PrometheusSeries series) => series.Values[^1];
}

public sealed record PrometheusQueryParameters : PrometheusParameters
{
    [Required, QueryText, MaxLength(4000)]
    [Description("PromQL whose value now is looked at. Of several series the worst one counts, and one that is not a number (a ratio of a part that gets no requests) keeps the others from passing: leave it out with `… / (… > 0)`.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the value is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a value.")]
    public required FailingWhen Failing { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Description("The verdict when the query finds nothing. A metric or an alert rule that does not exist at all is never passing, and neither is a query that names none; where it comes only with the first error, write `… or vector(0)`.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}
