namespace Runbooks.Integrations.Prometheus;

/// <summary>One series of a result with its values, oldest first. In an instant vector each series has one value.</summary>
internal sealed record PrometheusSeries(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<double> Values)
{
    /// <summary>The moments that the values are for, in seconds since 1970.</summary>
    public IReadOnlyList<double> Times { get; init; } = [];

    /// <summary>Reads <c>data</c> of an answer: a vector, a matrix or a scalar.</summary>
    public static IReadOnlyList<PrometheusSeries> Read(JsonElement data)
    {
        var result = data.GetProperty("result");
        return data.GetProperty("resultType").GetString() switch
        {
            "vector" => [.. result.EnumerateArray().Select(ReadOne)],
            "matrix" => [.. result.EnumerateArray().Select(ReadMany)],
            "scalar" => [new PrometheusSeries(new Dictionary<string, string>(), [ReadPoint(result)])],
            var other => throw new PrometheusException($"Prometheus answered with a {other}, not with numbers."),
        };
    }

    public bool IsSame(PrometheusSeries other) =>
        Labels.Count == other.Labels.Count && Labels.All(label => other.Labels.GetValueOrDefault(label.Key) == label.Value);

    public override string ToString() =>
        "{" + string.Join(", ", Labels.Where(label => label.Key != "__name__").Select(label => $"{label.Key}=\"{label.Value}\"")) + "}";

    private static PrometheusSeries ReadOne(JsonElement item)
    {
        var point = NumbersIn(item, "value", "histogram");
        return new(ReadLabels(item), [ReadPoint(point)]) { Times = [ReadTime(point)] };
    }

    private static PrometheusSeries ReadMany(JsonElement item)
    {
        var points = NumbersIn(item, "values", "histograms").EnumerateArray().ToList();
        return new(ReadLabels(item), [.. points.Select(ReadPoint)]) { Times = [.. points.Select(ReadTime)] };
    }

    private static JsonElement NumbersIn(JsonElement item, string name, string nameOfHistograms) =>
        item.TryGetProperty(name, out var numbers) ? numbers
        : item.TryGetProperty(nameOfHistograms, out _) ? throw new PrometheusException(
            "The query finds a native histogram, not a number: take one of it, such as `histogram_quantile(0.95, rate(…[5m]))`.")
        : throw new KeyNotFoundException(name);

    private static Dictionary<string, string> ReadLabels(JsonElement item) =>
        item.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString() ?? "");

    private static double ReadTime(JsonElement point) => point[0].GetDouble();

    // [seconds, "value"]; the value is text because it may be NaN or infinite.
    private static double ReadPoint(JsonElement point) => point[1].GetString() switch
    {
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        var text => double.Parse(text!, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}

/// <param name="Health"><c>ok</c>, <c>err</c>, or <c>unknown</c> until it is evaluated for the first time.</param>
internal sealed record AlertRule(string Name, string? Health)
{
    /// <summary>Why it cannot fire, in words; null when its last evaluation went well.</summary>
    public string? Trouble => Health switch
    {
        "ok" => null,
        "unknown" => "has not evaluated it yet",
        _ => "could not evaluate it lately",
    };

    public static IReadOnlyList<AlertRule> Read(JsonElement data) =>
    [
        .. from rules in data.GetProperty("groups").EnumerateArray()
           from rule in rules.GetProperty("rules").EnumerateArray()
           where rule.TryGetProperty("type", out var type) && type.GetString() == "alerting"
           select new AlertRule(
               rule.GetProperty("name").GetString()!, rule.TryGetProperty("health", out var health) ? health.GetString() : null),
    ];
}

/// <summary>Says why a query found nothing: which of its metrics and alert rules this Prometheus has never had.</summary>
internal static partial class MissingSeries
{
    private const int MaxNames = 10;

    // Prometheus makes these itself, and only while an alert is pending or firing.
    private static readonly string[] s_ownNames = ["ALERTS", "ALERTS_FOR_STATE"];
    private static readonly string[] s_keywords =
        ["and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "start", "end", "inf", "nan"];

    public static async Task<string?> ExplainEmptyAsync(
        PrometheusClient prometheus, string? endpoint, string query, CancellationToken cancellationToken)
    {
        var name = prometheus.Find(endpoint).Name;
        var missing = await FindAsync(prometheus, endpoint, query, cancellationToken);
        if (missing.Count > 0)
        {
            return $"Prometheus '{name}' has no series named {string.Join(", ", missing)}. Is the name right, and is its exporter scraped?";
        }

        if (OwnNames().IsMatch(query))
        {
            return await ExplainNoRuleAsync(prometheus, endpoint, name, query, cancellationToken);
        }

        return NamesIn(query).Count == 0
            ? "it names no metric, so whether there could be anything is not known. Name one."
            : null;
    }

    // The series of an alert exists only while it is pending or firing. Only the rule shows whether it could be.
    private static async Task<string?> ExplainNoRuleAsync(
        PrometheusClient prometheus, string? endpoint, string name, string query, CancellationToken cancellationToken)
    {
        var rules = await prometheus.AlertRulesAsync(endpoint, cancellationToken);
        var asked = AlertNames().Matches(query)
            .SelectMany(match => match.Groups["name"].Value.Split('|'))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        var missing = asked.Except(rules.Select(rule => rule.Name), StringComparer.Ordinal).ToList();
        if (rules.Count == 0)
        {
            return $"Prometheus '{name}' has no alert rule.";
        }

        if (missing.Count > 0)
        {
            return $"Prometheus '{name}' has no alert rule named {string.Join(", ", missing)}.";
        }

        var ill = rules.FirstOrDefault(rule =>
            rule.Trouble is not null && (asked.Count == 0 || asked.Contains(rule.Name, StringComparer.Ordinal)));
        if (ill is not null)
        {
            return $"Prometheus '{name}' has the alert rule {ill.Name}, and {ill.Trouble}.";
        }

        // A fault that came again after a fix is pending for as long as the rule's `for`. Where the query finds nothing because an alert
        // fires, the same about a pending one says nothing.
        var pending = asked.Count == 0 || Negates().IsMatch(Texts().Replace(query, "''"))
            ? query
            : Firing().Replace(query, "alertstate=\"pending\"");
        return pending != query && (await prometheus.QueryAsync(endpoint, pending, cancellationToken)).Count > 0
            ? $"{(asked is [var one] ? $"the alert {one}" : $"one of the alerts {string.Join(", ", asked)}")} is pending: "
                + "what it tells of is so, and not yet for long enough to fire."
            : null;
    }

    public static async Task<IReadOnlyList<string>> FindAsync(
        PrometheusClient prometheus, string? endpoint, string query, CancellationToken cancellationToken)
    {
        var names = NamesIn(query);
        if (names.Count == 0)
        {
            return [];
        }

        var found = await prometheus.QueryAsync(
            endpoint, $"count by (__name__) ({{__name__=~\"{string.Join('|', names)}\"}})", cancellationToken);
        return [.. names.Except(found.Select(series => series.Labels.GetValueOrDefault("__name__", "")), StringComparer.Ordinal)];
    }

    /// <summary>The metrics that a query reads, in its order. The query is not parsed, only searched.</summary>
    public static IReadOnlyList<string> NamesIn(string query)
    {
        // Texts, labels, durations and lists of labels contain names that are not metrics.
        var bare = ListOfLabels().Replace(
            InBrackets().Replace(Texts().Replace(query, "''"), match => match.Value[0] == '{' ? "{}" : "[]"), " ");
        return
        [
            .. Names().Matches(bare)
                .Where(match => !bare.AsSpan(match.Index + match.Length).TrimStart().StartsWith("("))
                .Select(match => match.Groups["name"].Value)
                .Where(name => !s_keywords.Contains(name, StringComparer.OrdinalIgnoreCase) && !s_ownNames.Contains(name))
                .Concat(LabelNames().Matches(query).Select(match => match.Groups["name"].Value).Except(s_ownNames))
                .Distinct().Take(MaxNames),
        ];
    }

    [GeneratedRegex("""#[^\n]*|"(\\.|[^"\\])*"|'(\\.|[^'\\])*'""", RegexOptions.NonBacktracking)]
    private static partial Regex Texts();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]", RegexOptions.NonBacktracking)]
    private static partial Regex InBrackets();

    [GeneratedRegex(
        @"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\boffset\s+-?[0-9a-z]+|@\s*[0-9.]+",
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex ListOfLabels();

    /// <summary>A metric that is named as a label, <c>{__name__="up"}</c>, or in quotes, <c>{"http.requests"}</c>.</summary>
    [GeneratedRegex("""__name__\s*=\s*["'](?<name>[A-Za-z_:][A-Za-z0-9_:.]*)["']|\{\s*["'](?<name>[A-Za-z_:][A-Za-z0-9_:.]*)["']\s*[,}]""", RegexOptions.NonBacktracking)]
    private static partial Regex LabelNames();

    [GeneratedRegex(@"\bALERTS(?:_FOR_STATE)?\b", RegexOptions.NonBacktracking)]
    private static partial Regex OwnNames();

    [GeneratedRegex("""\balertstate\s*=\s*["']firing["']""", RegexOptions.NonBacktracking)]
    private static partial Regex Firing();

    [GeneratedRegex(@"\b(?:absent|absent_over_time|unless)\b", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Negates();

    /// <summary>One name, or several to choose from: <c>alertname=~"A|B"</c>.</summary>
    [GeneratedRegex("""alertname\s*(=\s*["'](?<name>[^"'\\|]+)|=~\s*["'](?<name>[A-Za-z0-9_ |-]+))["']""", RegexOptions.NonBacktracking)]
    private static partial Regex AlertNames();

    [GeneratedRegex("(?:^|[^A-Za-z0-9_:.])(?<name>[A-Za-z_:][A-Za-z0-9_:]*)", RegexOptions.NonBacktracking)]
    private static partial Regex Names();
}
