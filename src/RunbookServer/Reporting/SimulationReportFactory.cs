using System.Text;
using System.Text.Json.Serialization;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Web.Incidents;

namespace RunbookServer.Reporting;

internal sealed class SimulationReportFactory(Runbook runbook, SimulatedIncident played, StepCatalog real, bool isLive)
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
            WaitsFor = runbook.SuppressedBy is { } other
                ? $"{other.Runbook} on {Template.RenderLenient(other.Target, new TemplateScope { Alert = _incident.Alert }).Trim()}, "
                    + $"for at most {DurationText.Format(other.AtMost)}"
                : null,
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
            After(at), "message", $"{Of(card.Kind)} to {string.Join(", ", same.Select(message => message.To))}", card with { Links = [] });
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

    public bool Live { get; init; }

    /// <summary>The incident of another runbook that would cover this one while it is open; here none is. Null for none.</summary>
    public string? WaitsFor { get; init; }

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
    string Name, string Ask, string Check, JsonElement Parameters, string? Problem, string Verdict, string Summary);

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

/// <param name="Kind">As in the incident's timeline; <c>message</c> for messages to people.</param>
internal sealed record SimulatedMoment(string After, string Kind, string What, Card? Card = null);
