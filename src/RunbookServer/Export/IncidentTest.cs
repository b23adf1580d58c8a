using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Testing;
using Runbooks.Web.Incidents;

namespace RunbookServer.Export;

/// <summary>A finished incident as a test of its runbook: the same alert, answers, decisions and end.</summary>
internal static class IncidentTest
{
    public static TestScript Of(IncidentView incident) => new()
    {
        Source = incident.StartedBy is null ? incident.Alert.Source : ManualStart.Source,
        By = incident.StartedBy,
        Alert = AlertOf(incident),
        Mode = incident.Mode == RunMode.Normal ? null : Words.Of(incident.Mode),
        Objections = ObjectionsOf(incident),
        Checks = incident.Findings.ToDictionary(finding => finding.Name, finding => AnswersOf(finding, incident.Looks)),
        Steps = IncidentTestSteps.Of(incident),
        Events = [.. EventsOf(incident).OrderBy(happening => happening.Delay)],
        Expect = new() { State = Words.Of(incident.State), Steps = incident.Steps.ToDictionary(step => step.Name, step => Words.Of(step.Status)) },
    };

    private static TestAlert AlertOf(IncidentView incident)
    {
        var labels = incident.Alert.Labels.ToDictionary();
        return incident.StartedBy is not null ? new() { Labels = labels } : new()
        {
            Name = incident.Alert.Name,
            Severity = incident.Alert.Severity,
            Summary = incident.Alert.Summary,
            Labels = labels,
            Annotations = incident.Alert.Annotations.ToDictionary(),
            Fingerprint = incident.Alert.Fingerprint,
            Link = incident.Alert.Link,
            Runbook = incident.Alert.Runbook,
        };
    }

    /// <summary>What guardrails said had to do with other incidents, which the test does not have.</summary>
    private static Dictionary<string, string> ObjectionsOf(IncidentView incident) => incident.Gates
        .Select(gate => (gate.Phase, Objection: gate switch
        {
            { Outcome: GateOutcome.DiagnosedOnly } => "diagnoseOnly",
            { Outcome: GateOutcome.Suppressed } => "suppress",
            { Outcome: GateOutcome.Refused, Blocker: null } => "forbid",
            { Overrules.Count: > 0 } => "askFirst",
            _ => null,
        }))
        .Where(said => said.Objection is not null)
        .GroupBy(said => said.Phase)
        .ToDictionary(said => Words.Of(said.Key), said => said.First().Objection!);

    /// <summary>The diagnosis, then every later round that asked this check.</summary>
    private static List<ScriptedAnswer> AnswersOf(FindingView finding, IReadOnlyList<Look> looks)
    {
        List<ScriptedAnswer> answers = [new() { Verdict = Words.Of(finding.Verdict), Summary = finding.Summary, Value = finding.Value }];
        foreach (var look in looks.Where(look => look.Verdicts.ContainsKey(finding.Name)))
        {
            var verdict = Words.Of(look.Verdicts[finding.Name]);
            if (answers.Count > 1 && answers[^1].Verdict == verdict)
            {
                answers[^1].Times += look.Rounds;
            }
            else
            {
                answers.Add(new() { Verdict = verdict, Times = look.Rounds });
            }
        }

        return answers;
    }

    private static IEnumerable<TestEvent> EventsOf(IncidentView incident)
    {
        foreach (var decision in incident.Gates.SelectMany(gate => gate.Decisions))
        {
            yield return new()
            {
                After = After(incident, decision.At),
                Approve = decision.Decision == Verb.Approve ? decision.By : null,
                Reject = decision.Decision == Verb.Reject ? decision.By : null,
                TakeOver = decision.Decision == Verb.TakeOver ? decision.By : null,
                Reason = decision.Reason,
            };
        }

        if (incident.Stop is { } stop)
        {
            yield return new() { After = After(incident, stop.At), Cancel = stop.By, Reason = stop.Reason };
        }

        // What the sender said afterwards changed nothing any more.
        if (incident.AlertResolvedAt is { } resolved && resolved <= incident.ClosedAt)
        {
            yield return new() { After = After(incident, resolved), Resolved = true };
        }
    }

    private static string After(IncidentView incident, DateTimeOffset at) => DurationText.Format(at - incident.OpenedAt);
}
