using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Incidents.Activities;

namespace Runbooks.Incidents;

/// <summary>How an incident becomes final; once final it stays so.</summary>
public static class IncidentEnd
{
    public static Incident End(this Incident incident, CloseRequest request, TimeSpan settleFor, DateTimeOffset now)
    {
        if (incident.State.IsFinal())
        {
            return incident;
        }

        var recorded = incident.RecordFindings(request.Findings, now);
        if (recorded.OpenGate is { } gate)
        {
            recorded = recorded.CloseGate(gate.Id, GateOutcome.Cancelled, "The incident ended.", now);
        }

        var settles = request.State == IncidentState.Resolved && settleFor > TimeSpan.Zero && recorded.Mode != RunMode.DryRun;
        var ended = recorded with
        {
            State = request.State,
            Reason = request.Reason,
            ClosedAt = now,
            SettlesAt = request.State switch
            {
                IncidentState.Resolved when settles => now + settleFor,
                IncidentState.TakenOver => now + IncidentHandback.LongestDrive,
                _ => null,
            },
            WakeEvent = settles ? request.SettleEvent : null,
        };
        return ended.Note(now, TimelineKind.Closed, "runbook", $"{IncidentWords.Of(request.State)}. {request.Reason}");
    }
}
