using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Testing;
using Runbooks.Testing.Simulation;
using Runbooks.Web.Incidents;

namespace RunbookServer.Simulation;

/// <summary>Tells a played incident.</summary>
internal sealed class ReportMaker(Runbook runbook, PlayedIncident played, StepCatalog real)
{
    private readonly Incident _incident = played.Incident;

    public SimulationReport Make()
    {
        var checks = runbook.Diagnosis.Select(Check).ToList();
        return new(
            runbook.Id, runbook.Title, AlertView.Of(_incident.Alert), Applies: true, [], _incident.Target, checks,
            [.. _incident.Gates.Select(Question)], [.. Timeline()], [.. Problems(checks)], Words.Of(_incident.State), _incident.Reason);
    }

    private SimulatedCheck Check(CheckSpec spec)
    {
        var binding = StepBinding.Of(spec.With, real.FindCheck(spec.Check)!.ParametersType, new TemplateScope
        {
            Alert = _incident.Alert, Target = _incident.Target, IncidentId = _incident.Id,
        });
        var found = _incident.Findings.FirstOrDefault(finding => finding.Name == spec.Name)?.Result;
        return new(spec.Name, spec.Ask, spec.Check, binding.Shown, binding.Problem, Words.Of(found?.Verdict ?? Verdict.Unknown), found?.Summary ?? "");
    }

    private SimulatedQuestion Question(Gate gate)
    {
        var asked = played.Questions.FirstOrDefault(question => question.Id == gate.Id);
        return new(
            gate.Id, After(gate.OpenedAt), gate.Question, asked is not null, asked?.Approvers ?? [], gate.Required,
            GateView.Of(gate).Plan, asked is null ? [] : [.. Silence(asked)], Words.Of(gate.Outcome));
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

        yield return new(After(asked.ExpiresAt), "gate", GateWords.WhenTimeIsUp(asked));
    }

    /// <summary>The record tells that somebody was told; here the message itself stands in its place.</summary>
    private IEnumerable<SimulatedMoment> Timeline()
    {
        var told = _incident.Timeline.Where(entry => entry.Kind != TimelineKind.Message)
            .Select(entry => (entry.At, Moment: new SimulatedMoment(After(entry.At), Words.Of(entry.Kind), entry.What)));
        var sent = played.Messages.GroupBy(message => (message.At, message.Card.Kind, message.Card.Title))
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
