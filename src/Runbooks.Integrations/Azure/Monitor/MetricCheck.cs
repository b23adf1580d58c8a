namespace Runbooks.Integrations.Azure.Monitor;

internal sealed class MetricCheck(AzureMetrics metrics)
    : Check<MetricParameters>("azureMonitor.metric", "Holds the latest value of an Azure Monitor metric against a threshold.")
{
    public override string Role => AzureMetrics.Role;

    // The known range is of single values; a sum over an interval can be outside it.
    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with)
    {
        var isSum = IsOfItsInterval(WithText.Choice(with, "aggregation", MetricAggregation.Average));
        return !isSum
            && WithText.Of(with, "metric") is { } metric
            && WithText.Failing(with) is { } failing
            && KnownRange.OfAzure(metric)?.WarningOf(failing, metric) is { } doubt
                ? [doubt]
                : [];
    }

    public override bool MayFindNothing(JsonElement with) => WithText.LeavesEmptyOpen(with);

    // Looks back to the first reported value that lies wholly after a change: the interval with the change in it may have just begun.
    // Where no value may come once all is well, the last earlier value counts as long as it is in sight.
    public override TimeSpan? LookBackOf(JsonElement with)
    {
        var isSum = IsOfItsInterval(WithText.Choice(with, "aggregation", MetricAggregation.Average));
        if (WithText.Duration(with, "over", MetricParameters.DefaultOver) is not { } over
            || WithText.Duration(with, "granularity", UsualGrain(isSum, over)) is not { } grain)
        {
            return null;
        }

        var passesWhenEmpty = WithText.Choice(with, "whenEmpty", WhenEmpty.Unknown) == WhenEmpty.Passing
            && WithText.Failing(with) is not { IsAbsent: true };
        return grain + (passesWhenEmpty ? over : grain) + MetricSeries.StillComing;
    }

    protected override async Task<CheckResult> AskAsync(
        MetricParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = new ArmTarget(parameters.Resource, "", Role);
        var question = new MetricQuestion(
            parameters.Metric, parameters.Aggregation, parameters.Over, Grain(parameters), parameters.Namespace, parameters.Filter);
        var found = await metrics.ReadAsync(target, question, context.Time, cancellationToken);
        var isTooShort = found.Series.Count == 0 && found.Every > question.Every && found.Every * 2 > parameters.Over;
        var judged = isTooShort ? TooShort(parameters, found.Every)
            : found.Series.Count == 0 ? await EmptyAsync(parameters, target, question, found.MayBeMore, context.Time, cancellationToken)
            : Judge(parameters, target, found, context.Time.GetUtcNow());
        return judged with { Link = Link(target) };
    }

    // Azure may have values, but none whose interval lies wholly in the time.
    private static CheckResult TooShort(MetricParameters parameters, TimeSpan every) =>
        CheckResult.Unknown($"Azure keeps {parameters.Metric} by {DurationText.Format(every)}, so there may be no whole value in "
            + $"{DurationText.Format(parameters.Over)}: set 'over' to {DurationText.Format(every * 2)} or more.") with
        {
            Threshold = parameters.Failing.ToString(),
        };

    private async Task<CheckResult> EmptyAsync(
        MetricParameters parameters,
        ArmTarget target,
        MetricQuestion question,
        bool mayBeMore,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var nothing = mayBeMore
            ? CheckResult.Unknown($"{Cut}, and none of those has a value in this time.") with { Threshold = parameters.Failing.ToString() }
            : Measurement.Empty(
                parameters.Failing, parameters.WhenEmpty, $"{target.DisplayName} has no value of {parameters.Metric} in this time.");
        var until = question.LastEnd(now - MetricSeries.Usual);
        if (nothing.Verdict == Verdict.Passing && question.Filter is not null)
        {
            // No value with the filter means something only where the metric is measured at all.
            var (all, _) = await metrics.ReadAsync(target, question with { Filter = null }, time, cancellationToken);
            var newest = all.Where(series => !series.IsStaleAt(now)).Max(series => (DateTimeOffset?)series.Last.Until);
            var notMeasured = $"{target.DisplayName} has no current value of {parameters.Metric} at all, "
                + "so it says nothing that there is none with this filter.";
            nothing = newest is null ? CheckResult.Unknown(notMeasured) with { Threshold = nothing.Threshold } : nothing;
            until = newest ?? until;
        }

        return nothing with { MeasuredAt = until, MeasuredFrom = until - question.Every };
    }

    private static CheckResult Judge(MetricParameters parameters, ArmTarget target, MetricAnswer answer, DateTimeOffset now)
    {
        var (found, mayBeMore) = answer;
        var failing = parameters.Failing;

        // 'absent' only asks whether there was a value within the time; any other condition is about now.
        List<MetricSeries> fresh = [.. found.Where(series => failing.IsAbsent || !series.IsStaleAt(now))];
        var stale = found.Except(fresh).MinBy(series => series.Last.Until);
        var worst = failing.Worst(fresh.Count > 0 ? fresh : found, series => series.Last.Value);
        var judged = fresh.Count > 0
            ? JudgeFresh(parameters, worst, found.Count, now)
                .UnlessSilent(failing, stale is null ? null : $"{stale} has had no value for {Measurement.Age(stale.AgeAt(now))}")
                .UnlessSilent(failing, mayBeMore ? Cut : null)
            : AllStale(parameters, target, worst, now);

        // One series is enough to fail or to be there; passing depends on all of them.
        var measured = failing.IsAbsent ? found.Max(series => series.Last.Until)
            : judged.Verdict == Verdict.Passing ? fresh.Min(series => series.Last.Until)
            : worst.Last.Until;
        return judged.WithCurve([.. worst.Points.Select(point => (point.Until, point.Value))], worst.Apart) with
        {
            MeasuredAt = measured,
            MeasuredFrom = measured - worst.Every,
        };
    }

    private static CheckResult JudgeFresh(MetricParameters parameters, MetricSeries worst, int count, DateTimeOffset now)
    {
        var dependsOnInterval = parameters.Granularity is not null || IsOfItsInterval(parameters.Aggregation);
        var among = Among(count, worst, now, saysInterval: dependsOnInterval && worst.Every > TimeSpan.FromMinutes(1));
        return Measurement.Judge(parameters.Failing, worst.Last.Value, parameters.Unit, among);
    }

    private static CheckResult AllStale(MetricParameters parameters, ArmTarget target, MetricSeries worst, DateTimeOffset now)
    {
        var last = NumberText.Format(worst.Last.Value) + (parameters.Unit is { } unit ? $" {unit}" : "");
        var silence = $"{target.DisplayName} has had no value of {parameters.Metric} for {Measurement.Age(worst.AgeAt(now))}";
        return CheckResult.Unknown($"{silence}; the last was {last}, and says nothing about now.") with
        {
            Threshold = parameters.Failing.ToString(),
        };
    }

    // Azure has a value a few minutes after it was measured, and the next one an interval later, so only a greater age is told.
    private static string Among(int count, MetricSeries worst, DateTimeOffset now, bool saysInterval)
    {
        var age = worst.AgeAt(now);
        var parts = Lines.Of(
            saysInterval ? $"of {Measurement.Age(worst.Every)}" : null,
            count == 1 ? null : $"the worst of {count}: {worst}",
            age < MetricSeries.Usual + worst.Every ? null : $"{Measurement.Age(age)} old");
        return parts.Count == 0 ? "" : $" ({string.Join("; ", parts)})";
    }

    // As fine as gives about an hour of points. A sum or a count keeps the same interval, and so the same threshold, however far
    // back the check looks. Azure keeps some metrics by the hour only; then it takes the next interval, and says which.
    private static TimeSpan Grain(MetricParameters parameters) =>
        parameters.Granularity ?? UsualGrain(IsOfItsInterval(parameters.Aggregation), parameters.Over);

    private static TimeSpan UsualGrain(bool isOfItsInterval, TimeSpan over) =>
        TimeSpan.FromMinutes(isOfItsInterval ? 1 : over.TotalHours switch { <= 1 => 1, <= 5 => 5, _ => 30 });

    private static bool IsOfItsInterval(MetricAggregation? aggregation) =>
        aggregation is MetricAggregation.Total or MetricAggregation.Count;

    private static string Cut => $"Azure has told of {AzureMetrics.MostSeries:N0} series, as many as were asked for, so there may be more";

    private static string Link(ArmTarget target) => $"{target.PortalLink}/metrics";
}

public sealed record MetricParameters : IValidatableObject
{
    internal static readonly TimeSpan DefaultOver = TimeSpan.FromMinutes(15);

    /// <seealso href="https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/metrics-index"/>
    private static readonly TimeSpan[] s_granularities =
        [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30)];

    [Required, ArmResourceId]
    [Description("The resource that is measured.")]
    public required string Resource { get; init; }

    [Required, TextPattern("^[A-Za-z0-9][A-Za-z0-9 ._/:%()-]{0,199}$", "a metric's name of at most 200 characters, as Azure's API has it")]
    [Description("The metric's name as Azure's API has it, for example `BackendLastByteResponseTime`.")]
    public required string Metric { get; init; }

    [TextPattern("^([A-Za-z0-9][A-Za-z0-9 ._/-]{0,199})?$", "a metric's namespace of at most 200 characters, as Azure's API has it")]
    [Description("The metric's namespace, where the resource has more than one.")]
    public string? Namespace { get; init; }

    [Description("How the values of one `granularity` are put together.")]
    public MetricAggregation Aggregation { get; init; } = MetricAggregation.Average;

    [Range(typeof(TimeSpan), "00:01:00", "00:30:00")]
    [Description("The time that one value is of: 1m, 5m, 15m or 30m. Where several places or servers report in turn, "
        + "as long as one turn takes: an availability test that runs every 5 minutes from each of five places has one run a minute, so a "
        + "value of 1m is that of one place. When left out 1m; for an average, a minimum or a maximum 5m where `over` is longer than 1h, "
        + "and 30m where it is longer than 5h.")]
    public TimeSpan? Granularity { get; init; }

    [Required]
    [Description("When the latest value is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a value.")]
    public required FailingWhen Failing { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [QueryText, MaxLength(1000)]
    [Description("Which dimensions to look at: `Region eq 'westeurope'`; `Origin eq '*'` looks at each, and the worst one counts. "
        + "One that has fallen silent keeps the others from passing, so name those that are always used.")]
    public string? Filter { get; init; }

    [Range(typeof(TimeSpan), "00:02:00", "1.00:00:00")]
    [Description("How far back to look for the latest value. One after which several should have come says nothing, "
        + "so a metric that comes seldom needs a time in which it comes at least twice.")]
    public TimeSpan Over { get; init; } = DefaultOver;

    [Description("The verdict when there is no value. With a `filter`, `passing` holds only while the metric has current values without "
        + "it: of a service that is not called at all nothing is known. Azure does not tell a misspelt value in `filter` from one that "
        + "did not occur, so look that the filter finds something before you write `passing`.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Granularity is { } every && !s_granularities.Contains(every))
        {
            yield return new ValidationResult("has to be 1m, 5m, 15m or 30m.", [nameof(Granularity)]);
        }
        else if (Granularity * 2 > Over)
        {
            yield return new ValidationResult(
                "is too short for 'granularity': the newest value may still be coming, so look back at least twice as far.",
                [nameof(Over), nameof(Granularity)]);
        }
    }
}

public enum MetricAggregation { Average, Minimum, Maximum, Total, Count }
