namespace RunbookServer.Commands;

/// <summary><c>runbook show ID</c>: one incident to be read, or whole as the API gives it.</summary>
internal static class ShowCommand
{
    public static Command Build()
    {
        var id = ClientOptions.IncidentId();
        var json = new Option<bool>("--json") { Description = "As the API gives it, for a script." };
        var command = new Command("show", "Shows one incident: what was found, what is asked, what was done.") { id, json };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var incident = await api.GetIncidentAsync(parsed.GetRequiredValue(id), cancellationToken);
            if (parsed.GetValue(json))
            {
                ConsoleOutput.Json(incident);
                return ExitCode.Done;
            }

            foreach (var line in IncidentLines(incident, TimeProvider.System.GetUtcNow()))
            {
                ConsoleOutput.Record(line);
            }

            return ExitCode.Done;
        });
    }

    internal static IEnumerable<string> IncidentLines(JsonNode incident, DateTimeOffset now) =>
    [
        $"{incident["title"]} on {IncidentText.Target(Text(incident, "target"))}",
        $"  {incident["id"]}, runbook {incident["runbook"]}{Severity(incident)}{(IsDryRun(incident) ? ", dry run" : "")}",
        $"  {State(incident)}, opened {IncidentsCommand.Age(Text(incident, "openedAt"), now)} ago ({Clock(incident["openedAt"])}){StartedBy(incident)}",
        .. Lines.Of(incident["reason"] is { } reason ? $"  {reason}" : null),
        .. Section("What is left to do", Left(incident)),
        .. Section(Items(incident, "verification").Any() ? "Found first" : "Found", Items(incident, "findings").Select(Finding)),
        .. Section("News", Items(incident, "news").Select(news => $"{Clock(news["at"])} {news["text"]}")),
        .. Section(Heading(incident), Question(incident)),
        .. Section(IsDryRun(incident) ? "Rehearsed" : "Done", Items(incident, "steps").Select(Step)),
        .. Section("Verification", Items(incident, "verification").Select(Finding)),
        .. Section("Record", Items(incident, "timeline").Select(entry => $"{Clock(entry["at"])} {entry["who"]}: {entry["what"]}")),
    ];

    private static string Severity(JsonNode incident) => incident["severity"] is { } severity ? $", {severity} severity" : "";

    private static string StartedBy(JsonNode incident) => incident["startedBy"] is { } by ? $", started by {by}" : "";

    private static IEnumerable<string> Left(JsonNode incident)
    {
        var left = Items(incident, "leftToDo").Select(line => $"{line}").ToList();
        return left.Count == 0 ? [] :
        [
            .. left,
            .. Lines.Of(incident["attention"] is { } attention ? SeenTo(incident, attention) : null),
            $"When it is over: {ThisProgram.Command} close {incident["id"]} --reason WHY",
        ];
    }

    private static string SeenTo(JsonNode incident, JsonNode attention) => attention["acknowledgedBy"] is { } by
        ? $"{by} sees to it."
        : $"Say that you see to it with: {ThisProgram.Command} acknowledge {incident["id"]}";

    private static string Heading(JsonNode incident) => incident["gate"] switch
    {
        { } gate when gate["task"] is not null => IsPending(gate) ? "To do by hand" : "What a person was asked to do",
        _ => WasAsked(incident) ? "The question" : "Nobody was asked",
    };

    private static bool IsPending(JsonNode gate) => Text(gate, "outcome") == "pending";

    /// <summary>A gate that closed in the moment when it was made asked nobody.</summary>
    private static bool WasAsked(JsonNode incident) => incident["gate"] is { } gate
        && (IsPending(gate) || Text(gate, "closedAt") != Text(gate, "openedAt"));

    private static IEnumerable<string> Question(JsonNode incident) => incident["gate"] is not { } gate ? [] :
    [
        .. Lines.Of(WasAsked(incident) ? $"{gate["question"]}" : null),
        .. Lines.Of(WasAsked(incident) && gate["difference"] is { } why ? $"Why it {(IsPending(gate) ? "is asked now" : "was asked")}: {why}" : null),
        .. Items(gate, "plan").Select(step => DecideCommand.UndoLine(step) is { } undo
            ? $"- {EndingText.Sentence($"{step["will"]}")} {undo}"
            : $"- {step["will"]}"),
        .. DecideCommand.ItemLines(gate),
        .. Items(gate, "warnings").Select(warning => $"Warning: {warning}"),
        .. Lines.Of(gate["trackRecord"] is { } trackRecord ? $"How it went before: {trackRecord}" : null),
        .. IsPending(gate) ? Open(incident, gate) : [gate["closedBy"]?.ToString() ?? Text(gate, "outcome")],
    ];

    private static IEnumerable<string> Open(JsonNode incident, JsonNode gate) =>
    [
        .. DecideCommand.AgainstLines(incident, gate),
        .. Lines.Of(gate["needed"] is { } needed ? $"{needed}" : null),
        $"Asked: {string.Join(", ", Items(gate, "approvers"))}. {gate["ifNobodyAnswers"]}",
        AnswerWith(incident, gate),
    ];

    private static string AnswerWith(JsonNode incident, JsonNode gate)
    {
        if (gate["task"] is not { } task)
        {
            return $"Answer with: {ThisProgram.Command} approve {incident["id"]}, reject or take-over";
        }

        var item = task["items"] is JsonArray { Count: > 0 } ? " --item NUMBER" : "";
        return $"Answer with: {ThisProgram.Command} done {incident["id"]}{item}, or could-not";
    }

    private static IEnumerable<string> Section(string heading, IEnumerable<string> lines) =>
        lines.ToList() is { Count: > 0 } some ? ["", heading, .. some.Select(line => $"  {line}")] : [];

    internal static IEnumerable<JsonNode> Items(JsonNode node, string key) => node[key] is JsonArray items ? items.OfType<JsonNode>() : [];

    internal static bool IsDryRun(JsonNode incident) => Text(incident, "mode") == "dryRun";

    internal static string Step(JsonNode step) =>
        $"{step["name"]}: {(Enum.TryParse<StepStatus>(Text(step, "status"), ignoreCase: true, out var status) ? StepRecord.HowUndone(status) : "")}"
        + $"{step["outcome"] ?? step["status"]}";

    /// <summary>With the time that the answer tells of.</summary>
    internal static string Finding(JsonNode finding) =>
        $"{Mark(finding)} {finding["ask"]} {finding["summary"]} ({Clock(finding["measuredAt"] ?? finding["at"])})";

    private static string Mark(JsonNode finding) => Text(finding, "verdict") switch
    {
        "failing" => "✗",
        "passing" => "✓",
        _ => "?",
    };

    private static string State(JsonNode incident)
    {
        if (incident["headline"] is { } headline)
        {
            return $"{headline}";
        }

        var name = Text(incident, "state");
        return Enum.TryParse<IncidentState>(name, ignoreCase: true, out var state) ? IncidentText.Of(state) : name;
    }

    private static string Clock(JsonNode? at) => DateTimeOffset.TryParse(at?.ToString(), CultureInfo.InvariantCulture, out var time)
        ? time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
        : "";

    private static string Text(JsonNode node, string key) => node[key]?.ToString() ?? "";
}

/// <summary><c>runbook incidents</c>: open and ended incidents.</summary>
internal static class IncidentsCommand
{
    private static readonly string[] s_heads = ["ID", "AGE", "SEVERITY", "STATE", "RUNBOOK", "TARGET"];

    public static Command Build()
    {
        var state = new Option<string?>("--state")
        {
            Description = "Only these: open, final, needsPerson (ended and not over), or a state: "
                + $"{string.Join(", ", Enum.GetValues<IncidentState>().Select(CamelCase.Of))}.",
        };
        var limit = new Option<int>("--limit")
        {
            Description = $"At most this many; {IncidentQuery.Most} at the most.",
            DefaultValueFactory = _ => 20,
        };
        var json = new Option<bool>("--json") { Description = "As the API gives it, for a script." };
        var command = new Command("incidents", "Lists incidents, newest first.") { state, limit, json };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var query = parsed.GetValue(state) is { Length: > 0 } wanted ? $"&state={Uri.EscapeDataString(wanted)}" : "";
            var (_, body) = (await api.GetAsync($"api/incidents?limit={parsed.GetValue(limit)}{query}", cancellationToken)).OrFail();
            if (parsed.GetValue(json))
            {
                ConsoleOutput.Json(body);
                return ExitCode.Done;
            }

            var incidents = body?["incidents"]?.AsArray() ?? [];
            if (incidents.Count == 0)
            {
                ConsoleOutput.Raw(query.Length == 0 ? "No incidents yet." : $"No incident fits --state {parsed.GetValue(state)}.");
                return ExitCode.Done;
            }

            foreach (var line in Table([s_heads, .. incidents.Select(incident => Cells(incident, TimeProvider.System.GetUtcNow()))]))
            {
                ConsoleOutput.Raw(line);
            }

            if (body?["next"] is not null)
            {
                var higher = parsed.GetValue(limit) < IncidentQuery.Most ? $", or a higher --limit than {parsed.GetValue(limit)}" : "";
                ConsoleOutput.Raw($"There are more: name a state{higher}.");
            }

            return ExitCode.Done;
        });
    }

    internal static string Age(string? since, DateTimeOffset now) =>
        DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, out var at) ? (now - at) switch
        {
            { TotalMinutes: < 1 } length => $"{Math.Max(0, (int)length.TotalSeconds)} s",
            { TotalHours: < 1 } length => $"{(int)length.TotalMinutes} min",
            { TotalDays: < 1 } length => $"{(int)length.TotalHours} h {length.Minutes} min",
            { TotalDays: < 2 } => "1 day",
            var length => $"{(int)length.TotalDays} days",
        }
        : "";

    private static string[] Cells(JsonNode? incident, DateTimeOffset now)
    {
        var alerts = incident?["alertCount"]?.GetValue<int>() is > 1 and var count ? $" ({count} alert messages)" : "";
        var dryRun = incident?["dryRun"]?.GetValue<bool>() == true ? ", dry run" : "";
        return
        [
            Text(incident, "id"),
            Age(Text(incident, "openedAt"), now),
            Text(incident, "severity") is { Length: > 0 } severity ? severity : "-",
            $"{Text(incident, "state")}{dryRun}",
            Text(incident, "runbook"),
            $"{CleanText.Line(IncidentText.Target(Text(incident, "target")))}{alerts}",
        ];
    }

    private static IEnumerable<string> Table(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, s_heads.Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    private static string Text(JsonNode? incident, string key) => incident?[key]?.ToString() ?? "";
}

/// <summary><c>runbook report ID</c>: what happened, as a Markdown document.</summary>
internal static class ReportCommand
{
    public static Command Build()
    {
        var id = ClientOptions.IncidentId();
        var file = new Option<FileInfo?>("--out")
        {
            Description = "Where to write it, for example incident.md; the screen unless named. A file that is there is left as it is.",
        };
        var command = new Command(
            "report",
            "Writes what happened in an incident as a Markdown document: "
            + "summary, impact, times, findings, decisions, steps, what is left to do.") { id, file };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var path = $"{ApiClient.PathOf(parsed.GetRequiredValue(id))}/report";
            var (_, body) = (await api.GetMarkdownAsync(path, cancellationToken)).OrFail();
            var report = $"{body}";
            if (parsed.GetValue(file) is not { } chosen)
            {
                ConsoleOutput.Raw(report.TrimEnd());
                return ExitCode.Done;
            }

            NewFile.Write(chosen.FullName, report, "Name another file with --out.");
            ConsoleOutput.Raw($"Written to {chosen.FullName}.");
            return ExitCode.Done;
        });
    }
}

/// <summary><c>runbook verify-audit FILE</c>: whether an exported record is as it was written.</summary>
internal static class VerifyAuditCommand
{
    private const long MaxBytes = 256 * 1024 * 1024;

    public static Command Build()
    {
        var file = new Argument<FileInfo>("file") { Description = "What GET /api/incidents/{id}/audit gave, one JSON object a line." };
        var command = new Command("verify-audit", "Checks that nothing in an incident's exported record was altered, removed or added.")
        {
            file,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var chosen = parsed.GetRequiredValue(file);
            if (!chosen.Exists || chosen.Length > MaxBytes)
            {
                ConsoleOutput.Error($"{chosen.FullName} {(chosen.Exists ? "is too large to be an incident's record" : "does not exist")}.");
                return ExitCode.Usage;
            }

            var verdict = AuditTrail.Verify(await File.ReadAllLinesAsync(chosen.FullName, cancellationToken));
            if (verdict.IsIntact)
            {
                ConsoleOutput.Raw(verdict.Message);
                return ExitCode.Done;
            }

            ConsoleOutput.Error($"{chosen.Name}:{verdict.Line}: {verdict.Message}");
            return ExitCode.Failed;
        });
        return command;
    }
}
