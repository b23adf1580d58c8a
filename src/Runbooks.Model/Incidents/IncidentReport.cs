using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>A Markdown document for a wiki, a ticket or a review, made from the record alone. An open incident has one too.</summary>
public static class IncidentReport
{
    /// <summary>Further ones are only counted.</summary>
    private const int MaxAlerts = 10;

    /// <param name="impact">As the runbook says. Null if that is no longer kept.</param>
    public static string Markdown(Incident incident, Impact? impact, DateTimeOffset now)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# {Text(incident.Title)} on {Text(IncidentText.Target(incident.Target))}\n");
        Section(page, null, [Opening(incident)]);
        Section(page, "Summary", [Text(incident.Reason ?? "It has not ended yet.")]);
        Section(page, "Impact", Impact(incident, impact));
        Section(page, "Times", Times(incident, now));
        Section(page, "What was found", Found(incident));
        Section(page, "What was asked and decided", incident.Gates.SelectMany(gate => Asked(incident, gate)));
        Section(page, incident.Mode == RunMode.DryRun ? "What was rehearsed" : "What was done", incident.Steps.Select(Done));
        Section(page, "What is left to do", Left(incident, now));
        Section(page, "Timeline", [Table(["At (UTC)", "Who", "What"], incident.TimelineByTime().Select(entry => (string[])[Clock(entry.At), entry.Who, entry.What]))]);
        return page.ToString();
    }

    private static string Opening(Incident incident)
    {
        var rehearsed = incident.Mode == RunMode.DryRun ? " (dry run)" : "";
        var team = incident.Team is { } name ? $" of the team `{name}`" : "";
        var version = incident.RunbookHash[..Math.Min(12, incident.RunbookHash.Length)];
        var origin = incident.Publication is { } publication
            ? $", from {Text(publication.Describe(incident.OpenedAt, "before it opened"))}"
            : "";
        return $"{EndingText.Headline(incident)}{rehearsed}. "
            + $"Incident `{incident.Id}`, runbook `{incident.RunbookId}`{team} version `{version}`{origin}.";
    }

    private static IEnumerable<string> Impact(Incident incident, Impact? impact) =>
    [
        .. impact is null
            ? Array.Empty<string>()
            : [$"- Severity: {CamelCase.Of(impact.Severity)}", $"- Users: {Text(impact.Users)}", $"- Data: {Text(impact.Data)}"],
        $"- Target: {Text(incident.Target)}",
        $"- {CountText.Format(incident.AlertCount, "alert message")}:",
        .. incident.Alerts.Take(MaxAlerts).Select(alert =>
            $"  - {Text(alert.Name)} from {Text(alert.Source)}, {CountText.Format(alert.Count, "time")}, {Clock(alert.FirstAt)} to "
            + $"{Clock(alert.LastAt)}{(alert.Resolved ? ", resolved" : "")}"),
        .. Lines.Of(incident.Alerts.Count > MaxAlerts ? $"  - and {incident.Alerts.Count - MaxAlerts} others" : null),
        .. incident.UnlistedLines().Select(line => $"  - {line}"),
    ];

    private static IEnumerable<string> Times(Incident incident, DateTimeOffset now)
    {
        var moments = Moments(incident).Concat(incident.State.IsFinal() ? [] : [("This report", now)]);
        return [Table(["What", "At (UTC)", "After"], moments.Select(moment => Row(moment.Item1, moment.Item2)))];

        string[] Row(string what, DateTimeOffset at) =>
            [what, Clock(at), at > incident.OpenedAt ? DurationText.Format(DurationText.Whole(at - incident.OpenedAt)) : ""];
    }

    public static IEnumerable<(string What, DateTimeOffset At)> Moments(Incident incident)
    {
        (string What, DateTimeOffset? At)[] all =
        [
            ("Opened", incident.OpenedAt),
            ("A person first answered, stopped or acknowledged it", incident.FirstResponseAt()),
            ("The checks first passed after it had acted", incident.MitigatedAt()),
            (Ended(incident), incident.State.IsFinal() ? incident.EndedAt : null),
            ("Closed by hand", incident.State == IncidentState.TakenOver ? null : incident.ClosedByHand?.At),
        ];
        return all.Where(one => one.At is not null).Select(one => (one.What, one.At!.Value));
    }

    /// <summary>After a take-over it is not over before somebody closes it.</summary>
    private static string Ended(Incident incident)
    {
        var prefix = incident.IsOwnedByResponder() ? ""
            : incident is { State: IncidentState.TakenOver, ClosedByHand: not null } ? "Closed by hand: "
            : "Ended: ";
        return prefix + EndingText.Headline(incident);
    }

    private static IEnumerable<string> Found(Incident incident)
    {
        if (incident.Findings.Count == 0)
        {
            return ["Nothing was checked."];
        }

        var after = incident.Verification.ToDictionary(finding => finding.Name, StringComparer.Ordinal);
        var rows = incident.Findings.Select(finding => after.TryGetValue(finding.Name, out var later)
            ? (string[])[finding.Ask, Answer(finding, later), Answer(later, finding)]
            : [finding.Ask, Answer(finding, null), ""]);
        return [Table(["Question", "Before (at, UTC)", "After (at, UTC)"], rows)];
    }

    /// <summary>Recent values are shown as a line of blocks, before and after on the same scale.</summary>
    private static string Answer(Finding finding, Finding? other)
    {
        var graph = MarkdownText.Sparkline(finding.Result.Series, other?.Result.Series ?? []);
        var answer = $"{Clock(finding.SeenAt)} {CamelCase.Of(finding.Verdict)}: {finding.Result.Summary}";
        if (graph.Length == 0)
        {
            return answer;
        }

        var course = finding.Result.Series.Where(double.IsFinite).ToList();
        var unit = finding.Result.Unit is { } word ? $" {word}" : "";
        return $"{answer} {graph} ({NumberText.Format(course.Min())} to {NumberText.Format(course.Max())}{unit})";
    }

    private static IEnumerable<string> Asked(Incident incident, Gate gate) =>
    [
        $"- {Clock(gate.OpenedAt)}: {(gate.WasAsked ? Question(incident, gate) : "Nobody was asked.")}",
        .. gate.OnCall.Select(record => $"  - {Clock(record.At)}: {Text(record.Words)}"),
        .. gate.Plan.Steps.Select(step => $"  - {Text(step.PlannedEffect)}{(step.UndoLine is { } undo ? $" {Text(undo)}" : "")}"),
        .. gate.Decisions.Select(decision => $"  - {Clock(decision.At)}: {Text(GateText.Said(gate, decision))}"),
        .. Lines.Of(
            gate.Outcome == GateOutcome.Pending ? $"  - {Pending(gate)} {Text(GateText.Silence(gate))}" : null,
            gate.EndedUndecided ? $"  - {Text(GateText.HowItEnded(gate))}" : null),
    ];

    private static string Question(Incident incident, Gate gate) =>
        $"{Text(gate.Task?.Instruction ?? gate.Question)} Asked: {Text(string.Join(", ", gate.Approvers))}"
        + $"{(incident.ReachedNobody(gate) ? ", but no message reached anybody" : "")}.";

    private static string Pending(Gate gate) => gate switch
    {
        { Decisions.Count: > 0 } => "It is still open.",
        { Task: null } => "Nobody has decided yet.",
        _ => "Nobody has answered yet.",
    };

    private static string Done(StepRecord step)
    {
        var took = step.FinishedAt is { } finished && finished > step.StartedAt
            ? $", {DurationText.Format(DurationText.Whole(finished - step.StartedAt))}"
            : "";
        return $"- {Clock(step.StartedAt)}: {Text(step.Name)} ({CamelCase.Of(step.Phase)}, {CamelCase.Of(step.Status)}{took}). "
            + $"{Text(step.Outcome ?? step.Preparation.PlannedEffect)}";
    }

    /// <summary>The first line says who sees to it or what to do now.</summary>
    public static IReadOnlyList<string> LeftToDo(Incident incident, DateTimeOffset now)
    {
        if (incident.State.IsFinal()
            && (!incident.IsUnfinished || incident.Attention?.AcknowledgedAt is not null || incident.ClosedByHand is not null))
        {
            return
            [
                incident.ClosedByHand is { } closed ? $"{closed.By} closed it: {closed.Reason}"
                    : incident.Attention is { AcknowledgedBy: { } by } seen
                        ? $"{by} {(incident.LeavesWork ? "sees" : "saw")} to it{(seen.Note is { Length: > 0 } note ? $": {note}" : ".")}"
                    : "Nothing that the automation knows of.",
                .. incident.LeavesWork ? NextSteps(incident, now) : [],
            ];
        }

        return NextSteps(incident, now);
    }

    /// <param name="now">When it is read. Times on another day get their date.</param>
    public static IReadOnlyList<string> NextSteps(Incident incident, DateTimeOffset now) =>
        [NextStepText.Of(incident, now), .. ChangeText.InPlace(incident).Select(change => $"Still changed: {change}")];

    private static IEnumerable<string> Left(Incident incident, DateTimeOffset now) =>
        LeftToDo(incident, now).Select((line, at) => $"{(at > 0 ? "- " : "")}{Text(line)}");

    private static string Table(string[] head, IEnumerable<string[]> rows) => string.Join(
        '\n', (string[])[Line(head), Line([.. head.Select(_ => "---")]), .. rows.Select(row => Line([.. row.Select(Text)]))]);

    private static string Line(string[] cells) => $"| {string.Join(" | ", cells)} |";

    private static void Section(StringBuilder page, string? title, IEnumerable<string> lines)
    {
        var list = lines.ToList();
        if (list.Count > 0)
        {
            page.Append(title is null ? "" : $"\n## {title}\n").Append('\n').AppendJoin('\n', list).Append('\n');
        }
    }

    private static string Text(string text) => MarkdownText.Escape(text);

    private static string Clock(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}

/// <summary>
/// The record as JSON lines, each chained to the one before, with a last line that counts them. A changed, removed or added line shows, and
/// so does a file that was cut off.
/// </summary>
public static class AuditTrail
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        Converters = { CamelCase.Enums },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        MaxDepth = 4,
    };

    /// <summary>Leaves out unknown properties, which the entry's hash does not cover.</summary>
    public static IEnumerable<string> Export(Incident incident) => incident.Timeline
        .Select(entry => JsonSerializer.Serialize(entry with { Later = null }, s_json))
        .Append(JsonSerializer.Serialize(AuditHead.Of(incident), s_json));

    public static AuditVerdict Verify(IReadOnlyList<string> lines)
    {
        if (lines.Count == 0 || !TryRead<AuditHead>(lines[^1], out var head) || head is not { Incident: not null, LastHash: not null })
        {
            return new(null, lines.Count, "The last line is not the head that closes the file: the end is missing.");
        }

        var entries = new List<TimelineEntry>();
        foreach (var line in lines.SkipLast(1))
        {
            if (!TryRead<TimelineEntry>(line, out var entry) || entry is not { Who: not null, What: not null, Hash: not null, Later: null })
            {
                return new(head.Incident, entries.Count + 1, "This line is not an entry.");
            }

            entries.Add(entry);
        }

        if (Incident.FindBreak(head.Incident, entries) is { } broken)
        {
            return new(
                head.Incident,
                broken,
                "This line does not follow from the line before: it or its predecessor was altered, removed or added.");
        }

        return head.Entries != entries.Count || head.LastHash != AuditHead.HashOf(head.Incident, entries)
            ? new(
                head.Incident,
                entries.Count + 1,
                $"The head counts {head.Entries} entries and the file has {entries.Count}: lines are missing at the end.")
            : new(head.Incident, null, $"Whole: {entries.Count} entries of incident {head.Incident}, last hash {head.LastHash}.");
    }

    private static bool TryRead<T>(string line, out T? value)
        where T : class
    {
        try
        {
            value = JsonSerializer.Deserialize<T>(line, s_json);
            return value is not null;
        }
        catch (JsonException)
        {
            value = null;
            return false;
        }
    }
}

/// <param name="Line">The first wrong line, counted from 1. Null if the record is intact.</param>
public sealed record AuditVerdict(string? Incident, int? Line, string Message)
{
    public bool IsIntact => Line is null;
}

/// <summary>A copy of <see cref="LastHash"/> elsewhere also proves that nobody rewrote the whole chain.</summary>
public sealed record AuditHead(
    string Incident, string Runbook, string RunbookHash, string Target, IncidentState State, int Entries, string LastHash)
{
    public static AuditHead Of(Incident incident) => new(
        incident.Id, incident.RunbookId, incident.RunbookHash, incident.Target, incident.State, incident.Timeline.Count, HashOf(incident.Id, incident.Timeline));

    /// <summary>The chain begins with the incident's id.</summary>
    internal static string HashOf(string incidentId, IReadOnlyList<TimelineEntry> timeline) =>
        timeline.Count == 0 ? incidentId : timeline[^1].Hash;
}
