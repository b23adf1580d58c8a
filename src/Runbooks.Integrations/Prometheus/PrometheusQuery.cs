using Runbooks.Catalog.Templates;

namespace Runbooks.Integrations.Prometheus;

internal sealed partial class PrometheusQuery(PrometheusClient prometheus)
    : PrometheusCheck<PrometheusQueryParameters>(prometheus, "prometheus.query", "Holds the value of a PromQL query against a threshold.")
{
    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) =>
        WithText.Of(with, "query") is { } query
            && WithText.Failing(with) is { } failing
            && KnownRange.OfPromQl(query)?.WarningOf(failing, "the query's value") is { } doubt
            ? [doubt]
            : [];

    public override bool MayFindNothing(JsonElement with) =>
        WithText.LeavesEmptyOpen(with)
            && WithText.Of(with, "query")?.Replace(" ", "", StringComparison.Ordinal).Contains("orvector(", StringComparison.OrdinalIgnoreCase) != true;

    public override TimeSpan? LookBackOf(JsonElement with) => WindowOf(WithText.Of(with, "query") ?? "", WithText.Failing(with));

    protected override TimeSpan? WindowOf(PrometheusQueryParameters parameters) => WindowOf(parameters.Query, parameters.Failing);

    protected override string? ClusterOf(PrometheusQueryParameters parameters) =>
        Clusters().Matches(parameters.Query).Select(match => match.Groups["cluster"].Value).Distinct(StringComparer.Ordinal).ToList() is [var one]
            ? one
            : null;

    // A comparison or a join within the query may come right at once. An offset, or a longer time that a short one is divided by,
    // is another time on purpose. A comparison that only leaves out parts without requests does not count.
    // A recording rule has its time in its name (prometheus.io/docs/practices/rules): app:errors:ratio_rate5m. Where it is looked at over
    // a range, the longer of both counts.
    private static TimeSpan? WindowOf(string query, FailingWhen? failing)
    {
        var bare = Guards().Replace(Labels().Replace(query, ""), ")");
        var ranges = Ranges().Matches(bare).Concat(RuleRanges().Matches(bare)).ToList();
        var times = ranges.Select(TimeOf).Distinct().ToList();
        var hasSubquery = ranges.Exists(range => range.Value.EndsWith(':'));
        var isRatioOfTwoTimes = bare.Contains('/') && !hasSubquery && times.Count > 1;
        var mayComeRightAtOnce = failing is { IsAbsent: true } || Compares().IsMatch(bare);
        return mayComeRightAtOnce || isRatioOfTwoTimes ? null : times.Max();
    }

    private static TimeSpan? TimeOf(Match found) =>
        found.Groups.Values.Max(group => DurationText.TryParse(group.Value, out var time) ? time : (TimeSpan?)null);

    protected override async Task<CheckResult> MeasureAsync(
        PrometheusQueryParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var failing = parameters.Failing;
        var found = await Prometheus.QueryAsync(parameters.Endpoint, parameters.Query, cancellationToken);
        if (found.Count == 0)
        {
            return await EmptyAsync(parameters, cancellationToken) with { Link = Prometheus.LinkTo(parameters.Endpoint, parameters.Query) };
        }

        return await Prometheus.DrawAsync(
            Judge(parameters, found),
            parameters.Endpoint,
            parameters.Query,
            context.Time,
            cancellationToken,
            like: failing.Worst(found, Latest));
    }

    protected override string Limit(PrometheusQueryParameters parameters) => parameters.Failing.ToString();

    // A name that no exporter serves must not pass for health: an empty answer is healthy only if what the query names exists.
    private async Task<CheckResult> EmptyAsync(PrometheusQueryParameters parameters, CancellationToken cancellationToken)
    {
        if (parameters.Failing.IsAbsent || parameters.WhenEmpty == WhenEmpty.Failing)
        {
            return Measurement.Empty(parameters.Failing, parameters.WhenEmpty, "");
        }

        string? doubt;
        try
        {
            doubt = await MissingSeries.ExplainEmptyAsync(Prometheus, parameters.Endpoint, parameters.Query, cancellationToken);
        }
        catch (PrometheusException failed)
        {
            doubt = $"whether what it names exists could not be asked. {failed.Message}";
        }

        return Measurement.Empty(
            parameters.Failing,
            doubt is null ? parameters.WhenEmpty : WhenEmpty.Unknown,
            doubt ?? "no series matches it now. Is the target still scraped?");
    }

    private static CheckResult Judge(PrometheusQueryParameters parameters, IReadOnlyList<PrometheusSeries> found)
    {
        var worst = parameters.Failing.Worst(found, Latest);
        var among = found.Count == 1 ? "" : $" (the worst of {found.Count} series: {worst})";
        var silent = found.FirstOrDefault(series => double.IsNaN(Latest(series)));
        return Measurement.Judge(parameters.Failing, Latest(worst), parameters.Unit, among).UnlessSilent(
            parameters.Failing,
            silent is null
                ? null
                : $"{silent} is not a number. Where nothing is asked of a part, a ratio has no value: leave it out with `… / (… > 0)`");
    }

    private static double Latest(PrometheusSeries series) => series.Values[^1];

    [GeneratedRegex("""\{(?:[^}"]|"(?:\\.|[^"\\])*")*\}""", RegexOptions.NonBacktracking)]
    private static partial Regex Labels();

    [GeneratedRegex(@"(?:>=?|!=)\s*0(?:\.0+)?\s*\)", RegexOptions.NonBacktracking)]
    private static partial Regex Guards();

    [GeneratedRegex(@"[<>@]|[=!]=|\b(?:and|unless|offset)\b", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Compares();

    private const string Rule = ":[A-Za-z0-9_]*(?:rate|increase|delta|mean|avg|max|min|sum|count|_)(?<rule>[0-9]+[smhd])";

    [GeneratedRegex("(?:" + Rule + @"\s*)?\[\s*(?<range>[0-9a-z]+)\s*[\]:]", RegexOptions.NonBacktracking)]
    private static partial Regex Ranges();

    [GeneratedRegex(Rule + @"(?:\s*[^A-Za-z0-9_:\[\s]|\s+[^\[\s]|\s*$)", RegexOptions.NonBacktracking)]
    private static partial Regex RuleRanges();

    [GeneratedRegex("""\bcluster\s*=\s*["'](?<cluster>[A-Za-z0-9._-]+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex Clusters();
}

public sealed record PrometheusQueryParameters : PrometheusParameters
{
    [Required, QueryText(Comment = "#"), MaxLength(4000)]
    [Description("PromQL whose value now is looked at. A sum is of what was scraped: a target that does not answer is missing in it. "
        + "Of several series the worst one counts, and one that is not a number (a ratio of a part that gets no requests) keeps the "
        + "others from passing: leave it out with `… / (… > 0)`.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the value is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a value.")]
    public required FailingWhen Failing { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Description("The verdict when the query finds nothing. A metric or an alert rule that does not exist at all is never passing, "
        + "and neither is a query that names none; where it comes only with the first error, write `… or vector(0)`.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}

/// <summary>Selects the series of one pod or of a namespace, whether or not Prometheus honours the exporter's own labels.</summary>
/// <remarks>
/// Without <c>honor_labels</c>, the default, an exporter that reports on other pods has <c>exported_pod</c> for them, and
/// <c>pod</c> is its own.
/// </remarks>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/issues/85"/>
internal sealed record WorkloadSeries(string Namespace, string? Pod, string? Cluster)
{
    /// <summary>The pod is gone, and these are all that its controller has in its place: Prometheus does not tell which is the new one.</summary>
    public bool IsReplaced { get; private init; }

    public string? Deployment { get; init; }

    public string Text =>
        Deployment is not null ? $"of deployment {Namespace}/{Deployment}"
            : Pod is null ? $"in namespace {Namespace}"
            : IsReplaced ? $"of the pods in place of {Namespace}/{Pod}"
            : $"of pod {Namespace}/{Pod}";

    /// <returns>The pods in its place, where the pod has no such metric and is not scraped either; else the same.</returns>
    public async Task<WorkloadSeries> FollowAsync(
        PrometheusClient prometheus, string? endpoint, string metric, CancellationToken cancellationToken)
    {
        var followed = await FollowedAsync(prometheus, endpoint, metric, cancellationToken);
        if (Cluster is null)
        {
            // Over the last hour, because the pod that is meant may be the one that is gone.
            ClusterLabel.RequireOne(await prometheus.QueryAsync(
                endpoint,
                $"count by ({ClusterLabel.Name}) ({followed.Of(metric, "present_over_time({0}[1h])")})",
                cancellationToken), followed.Text);
        }

        return followed;
    }

    private async Task<WorkloadSeries> FollowedAsync(
        PrometheusClient prometheus, string? endpoint, string metric, CancellationToken cancellationToken)
    {
        if (Pod is null
            || GeneratedPodName.SiblingsOf(Pod) is null
            || (await prometheus.QueryAsync(endpoint, $"{Of(metric)} or {Of("up")}", cancellationToken)).Count > 0)
        {
            return this;
        }

        var others = this with { IsReplaced = true };
        return (await prometheus.QueryAsync(endpoint, others.Of(metric), cancellationToken)).Count > 0 ? others : this;
    }

    /// <summary>Says which pods it is about where that is not the pod that was named.</summary>
    public string Prefix(string summary) => IsReplaced ? $"{Pod} is gone; of those in its place: {summary}" : summary;

    /// <param name="around">The query around each selector, for example <c>rate({0}[5m])</c>.</param>
    public string Of(string metric, string around = "{0}") =>
        $"({Wrapped(around, metric, "")} or {Wrapped(around, metric, "exported_")})";

    private string? Pods =>
        Deployment is not null ? GeneratedPodName.OfDeployment(Deployment) : IsReplaced ? GeneratedPodName.SiblingsOf(Pod!) : null;

    // All values are names by Kubernetes' rules, or patterns of such, so none can end the quoted text.
    private string Wrapped(string around, string metric, string prefix)
    {
        var pod = Pods is { } pods ? $",{prefix}pod=~\"{pods}\"" : Pod is null ? "" : $",{prefix}pod=\"{Pod}\"";
        var selector = $"{metric}{{{prefix}namespace=\"{Namespace}\"{pod}{ClusterLabel.Matcher(Cluster)}}}";
        return around.Replace("{0}", selector, StringComparison.Ordinal);
    }
}
