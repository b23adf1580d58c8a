using Runbooks.Model.Definition;

namespace Runbooks.Model.Incidents;

/// <summary>How an incident becomes final; once final it stays so.</summary>
public static class IncidentEnd
{
    public static Incident End(
        this Incident incident, IncidentState state, string reason, IReadOnlyList<Finding> findings, string? settleEvent, TimeSpan settleFor, DateTimeOffset now)
    {
        if (incident.State.IsFinal())
        {
            return incident;
        }

        var recorded = incident.RecordFindings(findings, now);
        if (recorded.OpenGate is { } gate)
        {
            recorded = recorded.CloseGate(gate.Id, GateOutcome.Cancelled, "The incident ended.", now);
        }

        var settles = state == IncidentState.Resolved && settleFor > TimeSpan.Zero && recorded.Mode != RunMode.DryRun;
        var ended = recorded with
        {
            State = state,
            Reason = reason,
            ClosedAt = now,
            SettlesAt = state switch
            {
                IncidentState.Resolved when settles => now + settleFor,
                IncidentState.TakenOver => now + IncidentHandback.LongestDrive,
                _ => null,
            },
            WakeEvent = settles ? settleEvent : null,
        };
        return ended.Note(now, TimelineKind.Closed, "runbook", $"{IncidentWords.Of(state)}. {reason}");
    }
}
