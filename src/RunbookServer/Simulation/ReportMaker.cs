using System.Text.Json;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Notifications;
using Runbooks.Testing;
using Runbooks.Testing.Simulation;
using Runbooks.Web.Incidents;

namespace RunbookServer.Simulation;

/// <summary>Tells a played incident.</summary>
internal sealed class ReportMaker(Runbook runbook, SimulatedIncident played, StepCatalog real, bool isLive = false)
{
    private readonly Incident _incident = played.Incident;

    /// <summary>What comes from there on is pretended, and not told.</summary>
    private bool WouldAct => isLive && _incident.Steps.Count > 0;

    public SimulationReport Make()
    {
        var checks = runbook.Diagnosis.Select(Check).ToList();
        return new(
            runbook.Id, runbook.Title, AlertView.Of(_incident.Alert), Applies: true, [], _incident.Target, checks,
            [.. _incident.Gates.Select(Question)], [.. Timeline()], [.. Problems(checks)], WouldAct ? null : CamelCase.Of(_incident.State), WouldAct ? null : _incident.Reason)
        {
            Live = isLive,
            WouldAct = WouldAct,
        };
    }

    private SimulatedCheck Check(CheckSpec spec)
    {
        var binding = StepBinding.Of(spec.With, real.FindCheck(spec.Check)!.ParametersType, new TemplateScope
        {
            Alert = _incident.Alert, Target = _incident.Target, IncidentId = _incident.Id,
        });
        var found = _incident.Findings.FirstOrDefault(finding => finding.Name == spec.Name)?.Result;
        return new(spec.Name, spec.Ask, spec.Check, binding.Shown, binding.Problem, CamelCase.Of(found?.Verdict ?? Verdict.Unknown), found?.Summary ?? "");
    }

    private SimulatedQuestion Question(Gate gate)
    {
        var asked = played.Questions.FirstOrDefault(question => question.Id == gate.Id);
        return new(
            gate.Id, After(gate.OpenedAt), gate.Question, asked is not null, asked?.Approvers ?? [], gate.Required,
            GateView.Of(gate).Plan, asked is null ? [] : [.. Silence(asked)], CamelCase.Of(gate.Outcome));
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

    /// <summary>The record tells that somebody was told; here the message itself stands in its place.</summary>
    private IEnumerable<SimulatedMoment> Timeline()
    {
        var told = _incident.Timeline.TakeWhile(entry => !WouldAct || entry.Kind != TimelineKind.Step).Where(entry => entry.Kind != TimelineKind.Message)
            .Select(entry => (entry.At, Moment: new SimulatedMoment(After(entry.At), CamelCase.Of(entry.Kind), entry.What)));
        var sent = (WouldAct ? [] : played.Messages).GroupBy(message => (message.At, message.Card.Kind, message.Card.Title))
            .Select(same => (same.Key.At, Moment: new SimulatedMoment(
                After(same.Key.At), "message", $"{Of(same.Key.Kind)} to {string.Join(", ", same.Select(message => message.To))}", same.First().Card with { Links = [] })));
        return told.Concat(sent).OrderBy(one => one.At).Select(one => one.Moment);
    }

    private IEnumerable<string> Problems(IEnumerable<SimulatedCheck> checks) => checks
        .Where(check => check.Problem is not null).Select(check => $"Check '{check.Name}': {check.Problem}")
        .Concat(_incident.Gates.Select(gate => gate.Plan.Blocker).OfType<string>());

    private static string Of(CardKind kind) => kind switch
    {
        CardKind.ApprovalRequest => "question",
        CardKind.Reminder => "reminder",
        CardKind.Escalation => "escalation",
        CardKind.Page => "page",
        _ => "message",
    };

    /// <summary>Virtual time runs a millisecond behind each timer.</summary>
    private string After(DateTimeOffset at) => DurationText.Format(TimeSpan.FromSeconds(Math.Round((at - _incident.OpenedAt).TotalSeconds)));
}

/// <summary>What a simulation says, for people and for programs alike. Times are counted from the alert: <c>5m</c>.</summary>
/// <param name="WhyNot">What keeps each trigger from fitting, the nearest first; empty when the runbook applies.</param>
/// <param name="Problems">What is wrong with the runbook as far as this alert shows; empty when nothing is.</param>
/// <param name="State">How the incident ended; null when none was opened, or where it stops before something acts.</param>
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
    /// <summary>Whether the checks were asked and the targets looked at for real.</summary>
    public bool Live { get; init; }

    /// <summary>It ends where a step would run without a question.</summary>
    public bool WouldAct { get; init; }

    public static SimulationReport NotApplying(Runbook runbook, Alert alert) => new(
        runbook.Id, runbook.Title, AlertView.Of(alert), Applies: false, RunbookMatcher.Misses(alert, runbook), null, [], [], [], [], null, null);
}

/// <param name="Parameters">Filled in, secrets masked.</param>
/// <param name="Problem">Why the real check would not take them; null when it would.</param>
internal sealed record SimulatedCheck(string Name, string Ask, string Check, JsonElement Parameters, string? Problem, string Verdict, string Summary);

/// <param name="Asked">False: the runbook went on, or could not, without asking anybody.</param>
/// <param name="IfNobodyAnswers">Who is asked when, up to the end of the question.</param>
internal sealed record SimulatedQuestion(
    string Gate, string After, string Question, bool Asked, IReadOnlyList<string> From, int Required,
    IReadOnlyList<PlannedStepView> Plan, IReadOnlyList<SimulatedMoment> IfNobodyAnswers, string Outcome);

/// <summary>Something that happens: a line of the record, or a message to people.</summary>
/// <param name="Kind">As in the incident's timeline; <c>message</c> for what people get.</param>
/// <param name="Card">What the message says; null for anything else.</param>
internal sealed record SimulatedMoment(string After, string Kind, string What, Card? Card = null);
