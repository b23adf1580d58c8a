using System.Text;
using System.Text.Json.Serialization;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Web.Incidents;

namespace RunbookServer.Reporting;

/// <summary>Makes the report of an incident that was played.</summary>
internal sealed class SimulationReportFactory(Runbook runbook, SimulatedIncident played, StepCatalog real, bool isLive = false)
{
    private readonly Incident _incident = played.Incident;

    /// <summary>From the first step on the world is pretended, and not reported.</summary>
    private bool WouldAct => isLive && _incident.Steps.Count > 0;

    public SimulationReport Make()
    {
        var checks = runbook.Diagnosis.Select(Check).ToList();
        return new(
            runbook.Id,
            runbook.Title,
            AlertView.Of(_incident.Alert),
            Applies: true,
            [],
            _incident.Target,
            checks,
            [.. _incident.Gates.Select(Question)],
            [.. Timeline()],
            [.. Problems(checks)],
            WouldAct ? null : CamelCase.Of(_incident.State),
            WouldAct ? null : _incident.Reason)
        {
            Live = isLive,
            WouldAct = WouldAct,
            WatchedFor = TestWorld.LongestOf(runbook),
        };
    }

    private SimulatedCheck Check(CheckSpec spec)
    {
        var binding = StepBinding.Of(spec.With, real.FindCheck(spec.Check)!.ParametersType, new TemplateScope
        {
            Alert = _incident.Alert,
            Target = _incident.Target,
            IncidentId = _incident.Id,
        });
        var found = _incident.Findings.FirstOrDefault(finding => finding.Name == spec.Name)?.Result;
        return new(
            spec.Name,
            spec.Ask,
            spec.Check,
            binding.Shown,
            binding.Problem,
            CamelCase.Of(found?.Verdict ?? Verdict.Unknown),
            found?.Summary ?? "");
    }

    private SimulatedQuestion Question(Gate gate)
    {
        var asked = played.Questions.FirstOrDefault(question => question.Id == gate.Id);
        return new(
            gate.Id,
            After(gate.OpenedAt),
            gate.Question,
            asked is not null,
            asked?.Approvers ?? [],
            gate.Required,
            GateView.Of(gate, heldBack: []).Plan,
            asked is null ? [] : [.. Silence(asked)],
            CamelCase.Of(gate.Outcome));
    }

    private IEnumerable<SimulatedMoment> Silence(Gate asked)
    {
        var contacts = asked.Approvers;
        foreach (var due in asked.Reminders.GroupBy(reminder => reminder.At))
        {
            var added = due.SelectMany(reminder => reminder.To).Except(contacts).ToList();
            yield return new(After(due.Key), "message", added.Count > 0
                ? $"{string.Join(", ", added)} is asked too, and {string.Join(", ", contacts)} again"
                : $"reminder to {string.Join(", ", contacts)}");
            contacts = [.. contacts, .. added];
        }

        yield return new(After(asked.ExpiresAt), "gate", GateText.WhenTimeIsUp(asked));
    }

    /// <summary>The messages themselves replace the record's lines about them.</summary>
    private IEnumerable<SimulatedMoment> Timeline()
    {
        var recorded = _incident.Timeline
            .TakeWhile(entry => !WouldAct || entry.Kind != TimelineKind.Step)
            .Where(entry => entry.Kind != TimelineKind.Message)
            .Select(entry => (entry.At, Moment: new SimulatedMoment(After(entry.At), CamelCase.Of(entry.Kind), entry.What)));
        var sent = (WouldAct ? [] : played.Messages)
            .GroupBy(message => (message.At, message.Card.Kind, message.Card.Title))
            .Select(same => (same.Key.At, Moment: Sent(same.Key.At, [.. same])));
        return recorded.Concat(sent).OrderBy(item => item.At).Select(item => item.Moment);
    }

    private SimulatedMoment Sent(DateTimeOffset at, IReadOnlyList<RecordedCard> same)
    {
        var card = same[0].Card;
        return new(
            After(at),
            "message",
            $"{Of(card.Kind)} to {string.Join(", ", same.Select(message => message.To))}",
            card with { Links = [] });
    }

    private IEnumerable<string> Problems(IEnumerable<SimulatedCheck> checks) => checks
        .Where(check => check.Problem is not null).Select(check => $"Check '{check.Name}': {check.Problem}")
        .Concat(_incident.Gates.SelectMany(gate => new[] { gate.Plan.Blocker, gate.Plan.LaterBlocker }).OfType<string>());

    private static string Of(CardKind kind) => kind switch
    {
        CardKind.ApprovalRequest => "question",
        CardKind.Reminder => "reminder",
        CardKind.Escalation => "escalation",
        CardKind.Page => "page",
        _ => "message",
    };

    /// <summary>Rounded, since virtual time runs a millisecond behind each timer.</summary>
    private string After(DateTimeOffset at) =>
        DurationText.Format(TimeSpan.FromSeconds(Math.Round((at - _incident.OpenedAt).TotalSeconds)));
}

/// <summary>The result of a simulation, for people and for programs alike. Times are counted from the alert: <c>5m</c>.</summary>
/// <param name="WhyNot">What keeps each trigger from fitting, the nearest first; empty when the runbook applies.</param>
/// <param name="Problems">What is wrong with the runbook as far as this alert shows.</param>
/// <param name="State">How the incident ended, or where it was when no end came; null when none was opened, or before a step that acts.</param>
internal sealed record SimulationReport(
    string Runbook,
    string Title,
    AlertView Alert,
    bool Applies,
    IReadOnlyList<string> WhyNot,
    string? Target,
    IReadOnlyList<SimulatedCheck> Checks,
    IReadOnlyList<SimulatedQuestion> Questions,
    IReadOnlyList<SimulatedMoment> Timeline,
    IReadOnlyList<string> Problems,
    string? State,
    string? Reason)
{
    [JsonIgnore]
    public bool IsOver => Enum.TryParse<IncidentState>(State, ignoreCase: true, out var state) && state.IsFinal();

    /// <summary>The checks and the targets were asked for real.</summary>
    public bool Live { get; init; }

    /// <summary>How long the incident was watched after the last thing that happened.</summary>
    [JsonIgnore]
    public TimeSpan WatchedFor { get; init; }

    /// <summary>The simulation stops where a step would run without a question.</summary>
    public bool WouldAct { get; init; }

    public static SimulationReport NotApplying(Runbook runbook, Alert alert) => new(
        runbook.Id,
        runbook.Title,
        AlertView.Of(alert),
        Applies: false,
        RunbookMatcher.Misses(alert, runbook),
        null,
        [],
        [],
        [],
        [],
        null,
        null);
}

/// <param name="Parameters">Filled in, secrets masked.</param>
/// <param name="Problem">Why the real check would refuse the parameters; null when it would not.</param>
internal sealed record SimulatedCheck(
    string Name,
    string Ask,
    string Check,
    JsonElement Parameters,
    string? Problem,
    string Verdict,
    string Summary);

/// <param name="Asked">False where the runbook went on, or could not, without asking anybody.</param>
/// <param name="IfNobodyAnswers">Who is asked when, up to the end of the question.</param>
internal sealed record SimulatedQuestion(
    string Gate,
    string After,
    string Question,
    bool Asked,
    IReadOnlyList<string> From,
    int Required,
    IReadOnlyList<PlannedStepView> Plan,
    IReadOnlyList<SimulatedMoment> IfNobodyAnswers,
    string Outcome);

/// <summary>Something that happens: a line of the record, or a message to people.</summary>
/// <param name="Kind">As in the incident's timeline; <c>message</c> for messages to people.</param>
/// <param name="Card">What the message says; null for anything else.</param>
internal sealed record SimulatedMoment(string After, string Kind, string What, Card? Card = null);

/// <summary>A simulation as a timeline that people read from top to bottom.</summary>
internal sealed class SimulationText
{
    private const int TimeWidth = 8;
    private readonly StringBuilder _text = new();
    private readonly bool _isLive;

    private SimulationText(bool isLive) => _isLive = isLive;

    public static string Of(SimulationReport report) => new SimulationText(report.Live).Write(report);

    private string Write(SimulationReport report)
    {
        Line(0, $"{report.Title} ({report.Runbook}){(report.Target is { } target ? $" on {target}" : "")}");
        Line(0, $"Alert {report.Alert.Name} from {report.Alert.Source}{(report.Alert.Severity is { } severity ? $", {severity}" : "")}");
        if (!report.Applies)
        {
            Line(0, "This runbook is not for this alert:");
            report.WhyNot.ToList().ForEach(miss => Line(2, miss));
            return _text.ToString();
        }

        Line(0, "");
        var questions = new Queue<SimulatedQuestion>(report.Questions);
        var diagnosis = report.Timeline.FirstOrDefault(moment => moment.Kind == "diagnosis");
        foreach (var moment in report.Timeline)
        {
            Line(0, $"{$"+{moment.After}",-TimeWidth}{(moment == diagnosis ? "checks answer" : Said(moment))}");
            if (moment == diagnosis)
            {
                report.Checks.ToList().ForEach(Check);
            }
            else if (moment.Card is { Kind: CardKind.ApprovalRequest } card)
            {
                Card(card, report.Questions.First(question => question.Gate == card.GateId));
            }
            else if (moment.Kind == "gate" && questions.TryPeek(out var next) && next.After == moment.After)
            {
                questions.Dequeue().Plan.ToList().ForEach(Step);
            }
        }

        Line(0, "");
        report.Problems.ToList().ForEach(problem => Line(0, $"Problem: {problem}"));
        Line(0, report switch
        {
            { WouldAct: true } => "Stops here: from here on it acts without asking. "
                + "The checks were asked and the steps looked at their targets for real; nothing was touched.",
            { Live: true, State: "awaitingApproval" } => "Stops at the question. "
                + "The checks were asked and the steps looked at their targets for real; nothing was touched.",
            { Live: true, IsOver: false } => "Stops after one look: "
                + "nothing calls for the mitigation now, and in earnest the checks would be asked again for a while. "
                + "They were asked for real; nothing was touched.",
            { Live: true } => $"Ends as {report.State}. The checks were asked for real; nothing was touched.",
            { IsOver: false } => $"Has not ended within {DurationText.Format(report.WatchedFor)}: it is {report.State}. "
                + "Everything outside was assumed; nothing was touched.",
            _ => $"Ends as {report.State}. Everything outside was assumed; nothing was touched.",
        });
        return _text.ToString();
    }

    private static string Said(SimulatedMoment moment) =>
        moment.Card is { } card ? $"{moment.What}: {card.Title}" : $"{moment.Kind}: {moment.What}";

    private void Check(SimulatedCheck check)
    {
        Line(TimeWidth, $"{check.Name} is {check.Verdict}: {check.Ask}");
        Line(TimeWidth + 2, check.Check);
        Parameters(check.Parameters);
        if (check.Problem is not null)
        {
            Line(TimeWidth + 4, $"PROBLEM: {check.Problem}");
        }

        if (_isLive)
        {
            Line(TimeWidth + 4, $"found: {check.Summary}");
        }
    }

    private void Step(PlannedStepView step)
    {
        Line(TimeWidth, $"step {step.Name} ({CamelCase.Of(step.Phase)})");
        Line(TimeWidth + 2, step.Action);
        Parameters(step.Parameters);
        if (_isLive)
        {
            Line(TimeWidth + 4, $"would: {step.PlannedEffect}{(step.Undo is { } undo ? $" Undo: {undo}" : "")}");
        }
    }

    private void Parameters(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var parameter in parameters.EnumerateObject())
        {
            Line(TimeWidth + 4, $"{parameter.Name}: {Plain(parameter.Value)}");
        }
    }

    private static string Plain(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private void Card(Card card, SimulatedQuestion question)
    {
        foreach (var section in card.Sections.SkipLast(1))
        {
            Line(TimeWidth, $"| {section.Heading}");
            section.Lines.ToList().ForEach(line => Line(TimeWidth, $"|   {line}"));
        }

        // The last section gives clock times. Here they are counted from the alert.
        Line(TimeWidth, $"| {card.Sections[^1].Heading}");
        foreach (var moment in question.IfNobodyAnswers)
        {
            Line(TimeWidth, $"|   {$"+{moment.After}",-TimeWidth}{moment.What}");
        }
    }

    /// <summary>Always one line: text from outside makes no lines of its own.</summary>
    private void Line(int indent, string text) => _text.Append(' ', indent).Append(text.ReplaceLineEndings(" ")).Append('\n');
}
