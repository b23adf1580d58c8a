using Runbooks.Execution;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

/// <summary>What each step of a finished incident has to do when the incident is played again. Steps that went as usual are left out.</summary>
internal static class IncidentTestSteps
{
    /// <summary>The running step has to end after the stop, even when it begins a little earlier than it did.</summary>
    private static readonly TimeSpan s_afterTheStop = TimeSpan.FromSeconds(1);

    public static Dictionary<string, ScriptedStep> Of(IncidentView incident)
    {
        // The steps of a person are among the events.
        var begun = incident.Steps
            .Where(step => step.Action != BuiltInSteps.Person)
            .Select(step => (step.Name, Script: Ran(incident, step)));
        return begun.Concat(Unbegun(incident))
            .Where(step => step.Script is not { Outcome: "done", Changes: false, Outputs.Count: 0, Duration.Ticks: 0, Undo: "done" })
            .ToDictionary(step => step.Name, step => step.Script);
    }

    private static ScriptedStep Ran(IncidentView incident, StepView step) => new()
    {
        Outcome = Ended(step) is StepStatus.Done or StepStatus.DryRun ? "done" : step.NothingDone ? "nothingDone" : "fails",
        Changes = HasChanged(incident, step.Name),
        Outputs = step.Outputs.ToDictionary(),
        Duration = Took(incident, step),
        Undo = step.Status switch
        {
            StepStatus.UndoFailed => "fails",
            StepStatus.LeftAlone => "left",
            StepStatus.HandedOn => "handedOn",
            StepStatus.AsBefore => "asBefore",
            _ => "done",
        },
    };

    /// <summary>Matters only where a person stopped the incident while its steps ran: it decides how far they were.</summary>
    private static TimeSpan Took(IncidentView incident, StepView step)
    {
        if (IncidentTestWriter.StopOf(incident) is not { } stop || Verifications(incident).Any())
        {
            return TimeSpan.Zero;
        }

        var next = incident.Steps.SkipWhile(begun => begun != step).Skip(1).FirstOrDefault()?.StartedAt ?? stop.At + s_afterTheStop;
        return next > step.StartedAt ? next - step.StartedAt : TimeSpan.Zero;
    }

    /// <summary>The next step in each phase that did not begin: it could not run, was kept from it, or changed and was not approved again.</summary>
    private static IEnumerable<(string Name, ScriptedStep Script)> Unbegun(IncidentView incident)
    {
        foreach (var phase in new[] { Phase.Mitigation, Phase.Resolution })
        {
            if (incident.Gates.LastOrDefault(gate => gate.Plan.Any(step => step.Phase == phase)) is { } gate
                && gate.Plan.FirstOrDefault(step => step.Phase == phase && incident.Steps.All(begun => begun.Name != step.Name)) is { } next)
            {
                yield return (next.Name, new() { Outcome = Kept(incident, gate, phase), Changes = HasChanged(incident, next.Name) });
            }
        }
    }

    private static string Kept(IncidentView incident, GateView gate, Phase phase) => gate switch
    {
        // After a first approval the step itself found that it could not run, and nobody could be asked again.
        { Outcome: GateOutcome.Refused, Blocker: not null } when gate.Phase == phase => gate.Round == 1 ? "blocked" : "refused",
        { Outcome: GateOutcome.Approved } when WasItsTurn(incident, phase) => "refused",
        _ => "done",
    };

    /// <summary>Everything before the step went well and nobody stopped the incident, so the step itself did not begin.</summary>
    private static bool WasItsTurn(IncidentView incident, Phase phase) =>
        incident is { State: IncidentState.Failed, Stop: null }
        && incident.Steps.All(WentWell)
        && (phase == Phase.Mitigation || IsVerified(incident));

    private static bool WentWell(StepView step) =>
        Ended(step) is StepStatus.Done or StepStatus.DryRun
        && step.Status is not (StepStatus.UndoFailed or StepStatus.LeftAlone);

    private static bool IsVerified(IncidentView incident) => Verifications(incident).LastOrDefault() is not { } last
        || last.Verdicts.Values.All(verdict => verdict == Verdict.Passing);

    private static IEnumerable<VerificationRound> Verifications(IncidentView incident) =>
        incident.VerificationRounds.Where(round => round.State is not (IncidentState.Diagnosing or IncidentState.AwaitingApproval));

    private static bool HasChanged(IncidentView incident, string step) => incident.Gates.Any(gate =>
        gate is { Round: > 1, Difference: { } why, Outcome: not GateOutcome.Refused }
        && !GroundCheck.IsOfAnswers(why)
        && gate.Plan.FirstOrDefault(planned => planned.Phase == gate.Phase)?.Name == step);

    private static StepStatus Ended(StepView step) => step.UndoneFrom ?? step.Status;
}
