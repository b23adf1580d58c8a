using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Incidents;
using Runbooks.Steps;
using Runbooks.Web.Incidents;

namespace RunbookLocal.Testing;

/// <summary>What each step of a finished incident has to do when the incident is played again; a step that did as usual is left out.</summary>
internal static class IncidentTestSteps
{
    public static Dictionary<string, ScriptedStep> Of(IncidentView incident)
    {
        var steps = incident.Steps.Select(step => (step.Name, Script: Ran(incident, step)))
            .Concat(Unbegun(incident))
            .Where(step => step.Script is not { Outcome: "done", Changes: false, Outputs.Count: 0, Undo: "done" });
        return steps.ToDictionary(step => step.Name, step => step.Script);
    }

    private static ScriptedStep Ran(IncidentView incident, StepView step) => new()
    {
        Outcome = Ended(step) is StepStatus.Done or StepStatus.DryRun ? "done" : "fails",
        Changes = HasChanged(incident, step.Name),
        Outputs = step.Outputs.ToDictionary(),
        Undo = step.Status == StepStatus.UndoFailed ? "fails" : "done",
    };

    /// <summary>A step that was planned and never begun: because it could not run, or because something kept it from running.</summary>
    private static IEnumerable<(string Name, ScriptedStep Script)> Unbegun(IncidentView incident)
    {
        foreach (var phase in new[] { Phase.Mitigation, Phase.Resolution })
        {
            if (incident.Gates.LastOrDefault(gate => gate.Plan.Any(step => step.Phase == phase)) is { } gate
                && gate.Plan.FirstOrDefault(step => step.Phase == phase && incident.Steps.All(begun => begun.Name != step.Name)) is { } next
                && Kept(incident, gate, phase) is { } outcome)
            {
                yield return (next.Name, new() { Outcome = outcome, Changes = outcome == "refused" && gate.Round == 1 && HasChanged(incident, next.Name) });
            }
        }
    }

    private static string? Kept(IncidentView incident, GateView gate, Phase phase) => gate switch
    {
        // After a first approval it was a step that found itself kept from running, and nobody could be asked again.
        { Outcome: GateOutcome.Refused, Blocker: not null } when gate.Phase == phase => gate.Round == 1 ? "blocked" : "refused",
        { Outcome: GateOutcome.Approved } when WasItsTurn(incident, phase) => "refused",
        _ => null,
    };

    /// <summary>Everything before it went well, and nobody stopped it: it was the step itself that did not begin.</summary>
    private static bool WasItsTurn(IncidentView incident, Phase phase) =>
        incident is { State: IncidentState.Failed, Stop: null }
        && incident.Steps.All(step => Ended(step) is StepStatus.Done or StepStatus.DryRun && step.Status != StepStatus.UndoFailed)
        && (phase == Phase.Mitigation || incident.Looks.Count == 0 || incident.Looks[^1].Verdicts.Values.All(verdict => verdict == Verdict.Passing));

    private static bool HasChanged(IncidentView incident, string step) =>
        incident.Gates.Any(gate => gate is { Round: > 1, Difference: not null, Outcome: not GateOutcome.Refused } && gate.Plan.FirstOrDefault(planned => planned.Phase == gate.Phase)?.Name == step);

    private static StepStatus Ended(StepView step) => step.UndoneFrom ?? step.Status;
}
