using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Guardrails;

/// <summary>Reads out of an ended incident whether its fix worked.</summary>
public static class LedgerEntry
{
    /// <returns>Null when it never acted, or when a person ended it before anybody could know.</returns>
    public static LedgerRun? Of(Incident incident)
    {
        var acted = incident.Steps.Where(step => step.Phase == Phase.Mitigation && step.Status != StepStatus.DryRun).ToList();
        if (acted.Count == 0 || incident.ClosedAt is not { } ended || OutcomeOf(incident) is not { } outcome)
        {
            return null;
        }

        // A lease is held long after it worked: the last change of the verification is when it did.
        var worked = incident.Timeline.LastOrDefault(line => line.Kind == TimelineKind.Verification)?.At ?? ended;
        var began = acted.Min(step => step.StartedAt);
        return new(incident.Id, incident.Target, outcome, incident.OpenedAt, ended, worked > began ? worked - began : TimeSpan.Zero);
    }

    private static RunOutcome? OutcomeOf(Incident incident) => incident.State switch
    {
        IncidentState.Resolved => RunOutcome.Verified,

        // The resolution broke, the mitigation holds.
        _ when Passed(incident) => RunOutcome.Verified,
        IncidentState.Failed => RunOutcome.Ineffective,
        _ => null,
    };

    private static bool Passed(Incident incident) =>
        incident.Verification.Count > 0
        && incident.Verification.All(finding => finding.Verdict == Verdict.Passing)
        && !incident.Steps.Any(step => step.Status is StepStatus.Undone or StepStatus.UndoFailed);
}
