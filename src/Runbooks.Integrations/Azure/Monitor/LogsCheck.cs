using Runbooks.Catalog.Problems;

namespace Runbooks.Integrations.Azure.Monitor;

internal sealed partial class LogsCheck(LogsClient logs)
    : Check<LogsParameters>("azureMonitor.logs", "Holds the number that a Log Analytics query yields against a threshold.")
{
    private static readonly TimeSpan s_longTime = TimeSpan.FromDays(7);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_quarter = TimeSpan.FromMinutes(15);

    /// <summary>A table that had a row in every quarter of an hour for this long counts as written all the time.</summary>
    private static readonly TimeSpan s_steady = TimeSpan.FromHours(6);

    /// <summary>
    /// A table that had a row in at least this many minutes of <see cref="s_steady"/>, up to its newest row, shows to the minute
    /// what has come in.
    /// </summary>
    private const int DenseMinutes = 324;

    /// <summary>Rows newer than this may not have come in yet.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time"/>
    private static readonly TimeSpan s_ingestion = TimeSpan.FromMinutes(3);

    /// <summary>Over a longer time the rows that are missing matter little.</summary>
    private static readonly TimeSpan s_short = TimeSpan.FromMinutes(10);

    public override string Role => LogsClient.Role;

    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with)
    {
        var query = WithText.Of(with, "query") ?? "";
        // With two ages, the time ends at the newer one.
        var ages = Ages().Matches(query).Select(match => match.Groups["age"].Value).Distinct().ToList();
        var (key, age) = ages.Count == 0 ? ("over", WithText.Of(with, "over")) : ("query", ages[0]);
        var countsUntilNow = ages.Count < 2 && Counts().IsMatch(query);
        var isShort = age is not null && DurationText.TryParse(age, out var time) && time <= s_short;
        return countsUntilNow && isShort
            ? [new(
                WarningCodes.LogsIncomplete,
                key,
                $"counts the last {age}, and what was written in the newest {DurationText.Format(s_ingestion)} "
                    + "has as a rule not come in yet.",
                "Count a time that is over: where TimeGenerated between (ago(8m) .. ago(3m)).")]
            : [];
    }

    // A count or sum of everything is one row with a number, even when there is nothing to count.
    // An average of nothing is no number, whatever 'whenEmpty' says.
    public override bool MayFindNothing(JsonElement with)
    {
        var last = WithText.Of(with, "query")?.Split('|')[^1].Trim() ?? "";
        var ofAll = last == "count"
            || (last.StartsWith("summarize ", StringComparison.Ordinal) && !last.Contains(" by ", StringComparison.Ordinal));
        return (ofAll && NoneOfNothing().IsMatch(last)) || (!ofAll && WithText.LeavesEmptyOpen(with));
    }

    public override TimeSpan? LookBackOf(JsonElement with) =>
        WithText.Duration(with, "over", LogsParameters.DefaultOver) is { } over
            ? WindowOf(WithText.Of(with, "query") ?? "", over, WithText.Failing(with))
            : null;

    // With two times, the newer one shows the present, and the older one is there to compare with.
    private static TimeSpan? WindowOf(string query, TimeSpan over, FailingWhen? failing)
    {
        var begins = Begins()
            .Matches(query)
            .Select(match => DurationText.TryParse(match.Groups["age"].Value, out var age) ? age : (TimeSpan?)null)
            .OfType<TimeSpan>();
        return !Newest().IsMatch(query) && failing is not { IsAbsent: true }
            ? new[] { begins.Append(over).Min(), s_ingestion }.Max()
            : null;
    }

    protected override async Task<CheckResult> AskAsync(LogsParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var asked = context.Time.GetUtcNow();
        var answer = await AnswerAsync(parameters, asked, cancellationToken);
        return answer with
        {
            MeasuredAt = answer.MeasuredAt ?? (asked - s_ingestion),
            MeasuredFrom = asked - WindowOf(parameters.Query, parameters.Over, parameters.Failing),
        };
    }

    private async Task<CheckResult> AnswerAsync(LogsParameters parameters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var found = await logs.QueryAsync(parameters.Workspace, parameters.Query, parameters.Over, cancellationToken);
        if (found.Rows.Count == 0)
        {
            return Measurement.Empty(parameters.Failing, parameters.WhenEmpty, "no row matches it in this time.");
        }

        if (found.Numbers(parameters.Column) is not { } values)
        {
            return CheckResult.Unknown(parameters.Column is { } column
                ? $"The query's rows have no number in a column '{column}'."
                : "The query's rows have no column of numbers. Add 'summarize' or name the column.");
        }

        var worst = parameters.Failing.Worst(values.ConvertAll(value => new RowValue(value)), row => row.Number).Number;
        var ofRows = values.Count == 1 ? "" : $" (the worst of {values.Count} rows)";
        var judged = Measurement.Judge(parameters.Failing, worst, parameters.Unit, ofRows)
            .UnlessSilent(parameters.Failing, values.Exists(double.IsNaN) ? "another row's is not a number" : null);
        if (judged.Verdict != Verdict.Passing
            || values.Count != 1
            || (worst != 0 && !Counts().IsMatch(parameters.Query))
            || parameters is { WhenEmpty: WhenEmpty.Passing } or { Failing.IsAbsent: true })
        {
            return judged;
        }

        var (silence, until) = await WrittenUntilAsync(parameters, now, cancellationToken);
        if (silence is null)
        {
            return judged with { MeasuredAt = until };
        }

        var verdict = parameters.WhenEmpty == WhenEmpty.Failing ? Verdict.Failing : Verdict.Unknown;
        return judged.UnlessSilent(parameters.Failing, silence) with { Verdict = verdict };
    }

    /// <summary>
    /// When nothing is written to a table, a count of its rows is 0, however bad things are. When its newest rows have not come in
    /// yet, the count is too low.
    /// </summary>
    /// <returns>
    /// Why, or since when, nothing is written to it; null when something is, or when that is not known.
    /// And until when its rows have come in, where that is longer ago than usual.
    /// </returns>
    private async Task<(string? Silence, DateTimeOffset? Until)> WrittenUntilAsync(
        LogsParameters parameters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var capped = await logs.CappedSinceAsync(parameters.Workspace, cancellationToken);
        var table = Table().Match(parameters.Query);
        var written = table.Success ? await WrittenAsync(parameters.Workspace, FromText(table), cancellationToken) : null;
        // The cap does not apply to every table and can be raised, so a table that is still written to counts on.
        if (capped is { } since && (written is not { } goesOn || goesOn.Until <= since + s_quarter))
        {
            return (
                $"the workspace reached its daily cap at {since.UtcDateTime:HH:mm} UTC, and has not said since that it collects again",
                null);
        }

        if (written is { } last)
        {
            // The next quarter of an hour is over, and its rows would have come in.
            if (last.IsSteady && last.Until + s_quarter + s_ingestion <= now)
            {
                return (
                    $"{TableName(table)} had rows all the time, and none since {last.Until.UtcDateTime:HH:mm} UTC, "
                        + "so it seems that nothing is collected",
                    null);
            }

            if (last.DenseUntil is { } dense && dense <= now - WindowOf(parameters.Query, parameters.Over, parameters.Failing))
            {
                return (
                    $"{TableName(table)} had rows in nearly every minute, and of the time that is counted none has come in: "
                        + $"the newest is of {dense.UtcDateTime.AddMinutes(-1):HH:mm} UTC",
                    null);
            }

            return (null, last.DenseUntil < now - s_ingestion ? last.DenseUntil : null);
        }

        if (!table.Success)
        {
            return (null, null);
        }

        var anyRow = await logs.QueryAsync(parameters.Workspace, $"{FromText(table)} | take 1 | count", s_longTime, cancellationToken);
        return anyRow.Numbers(null) is [0]
            ? ($"nothing at all was written to {TableName(table)} for {s_longTime.TotalDays:0} days, so there is nothing to count", null)
            : (null, null);
    }

    private async Task<Written?> WrittenAsync(string workspace, string from, CancellationToken cancellationToken)
    {
        var found = await logs.QueryAsync(
            workspace,
            $"{from} | summarize by Minute = bin(TimeGenerated, 1m) | order by Minute desc | extend Nth = row_number() "
                + $"| summarize Dense = minif(Minute, Nth == {DenseMinutes}), "
                + "Quarters = array_length(make_set(bin(Minute, 15m))), "
                + "Oldest = bin(min(Minute), 15m), Newest = max(Minute)",
            s_day,
            cancellationToken);
        if (found.Time("Newest") is not { } minute || found.Time("Oldest") is not { } oldest)
        {
            return null;
        }

        var newest = minute.AddTicks(-(minute.UtcTicks % s_quarter.Ticks));
        var isSteady = found.Numbers("Quarters") is [var quarters]
            && newest - oldest >= s_steady
            && quarters >= ((newest - oldest) / s_quarter) + 1;
        return new(newest + s_quarter, isSteady, minute - found.Time("Dense") < s_steady ? minute.AddMinutes(1) : null);
    }

    private static string FromText(Match table) =>
        $"{table.Groups["table"].Value}{(table.Groups["category"].Value is { Length: > 0 } category ? $" | where {category}" : "")}";

    private static string TableName(Match table)
    {
        var name = table.Groups["table"].Value;
        var category = table.Groups["category"].Value;
        var categories = Quoted().Matches(category).Select(match => match.Value.Trim('"'));
        return category.Length > 0 ? $"{name} with the category {string.Join(" or ", categories)}" : name;
    }

    [GeneratedRegex(@"\b(?:count|countif|dcount|sum|sumif)\s*\(|\|\s*count\s*$", RegexOptions.NonBacktracking)]
    private static partial Regex Counts();

    [GeneratedRegex(@"\bago\s*\(\s*(?<age>[0-9]+[a-z]+)\s*\)", RegexOptions.NonBacktracking)]
    private static partial Regex Ages();

    [GeneratedRegex(@"(?:\bbetween\s*\(|>=?)\s*ago\s*\(\s*(?<age>[0-9]+[a-z]+)\s*\)", RegexOptions.NonBacktracking)]
    private static partial Regex Begins();

    /// <summary>The query takes only the newest row.</summary>
    [GeneratedRegex(@"\barg_max\s*\(|\btop\s+[0-9]+\s+by\s+TimeGenerated\b|\bmax\s*\(\s*TimeGenerated\b", RegexOptions.NonBacktracking)]
    private static partial Regex Newest();

    [GeneratedRegex(
        @"\b(?:avg|percentile|max|min|stdev|variance|arg_max|arg_min|take_any)\w*\s*\(|\)\s*/\s*[\w(]",
        RegexOptions.NonBacktracking)]
    private static partial Regex NoneOfNothing();

    /// <summary>
    /// The table, and its categories where the query filters on them first: kinds of logs that share a table are switched on one by
    /// one.
    /// </summary>
    [GeneratedRegex(
        @"^\s*(?<table>[A-Za-z_][A-Za-z0-9_]{0,99})\s*\|"
            + @"(?:\s*where\b[^|]*\b(?<category>Category\s*"
            + @"((==|=~)\s*""[A-Za-z0-9_. -]{1,100}"""
            + @"|in~?\s*\(\s*""[A-Za-z0-9_. -]{1,100}""(\s*,\s*""[A-Za-z0-9_. -]{1,100}""){0,9}\s*\))))?",
        RegexOptions.NonBacktracking)]
    private static partial Regex Table();

    [GeneratedRegex("\"[^\"]+\"", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();

    private sealed record RowValue(double Number);

    /// <param name="Until">The end of the newest quarter of an hour with a row.</param>
    /// <param name="IsSteady">For a long time every quarter of an hour had a row.</param>
    /// <param name="DenseUntil">The end of the newest minute with a row; null where too many minutes had none for that to say anything.</param>
    private sealed record Written(DateTimeOffset Until, bool IsSteady, DateTimeOffset? DenseUntil);
}

public sealed record LogsParameters
{
    internal static readonly TimeSpan DefaultOver = TimeSpan.FromMinutes(30);

    [Required, TextPattern(TextPatternAttribute.Id, TextPatternAttribute.IdFormat)]
    [Description("The workspace's id: a GUID, shown on its overview page.")]
    public required string Workspace { get; init; }

    [Required, QueryText(Comment = "//"), MaxLength(8000)]
    [Description("KQL that yields a number. Of several rows the worst one counts. "
        + "What was written in the last three minutes may not have come in yet: "
        + "count a time that is over, `where TimeGenerated between (ago(8m) .. ago(3m))`.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the number is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a row.")]
    public required FailingWhen Failing { get; init; }

    [TextPattern("^([A-Za-z_][A-Za-z0-9_]{0,99})?$",
        "a column's name: at most 100 letters, digits and underscores, not beginning with a digit")]
    [Description("The column that holds the number; the first one of a numeric type when left out. "
        + "A row that has nothing there says nothing.")]
    public string? Column { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    [Description("How far back the query may look.")]
    public TimeSpan Over { get; init; } = DefaultOver;

    [Description("The verdict when the query finds no row, and when it counts 0 although nothing is collected: "
        + "the workspace has reached its daily cap, a table that always had rows has none any more, or nothing was written to "
        + "it for a week.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}
