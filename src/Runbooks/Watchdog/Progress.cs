using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Watchdog;

/// <summary>When an incident last moved, and when it should move next at the latest.</summary>
internal static class Progress
{
    /// <returns>The last movement, and the time until which standing still is its good right.</returns>
    public static (DateTimeOffset Since, DateTimeOffset Due) Of(Incident incident, Runbook runbook)
    {
        var since = Last(incident);
        return (since, incident.State switch
        {
            IncidentState.AwaitingApproval when incident.OpenGate is { } gate => Next(gate),
            IncidentState.Holding when runbook.Mitigation.HoldUntil is { } hold => since + hold.Every,
            IncidentState.Verifying when runbook.Mitigation.Verify is { } verify => since + verify.Every,
            IncidentState.Mitigating => since + Longest(runbook.StepsOf(Phase.Mitigation)),
            IncidentState.Resolving => since + Longest(runbook.StepsOf(Phase.Resolution)),
            _ => since,
        });
    }

    /// <summary>When a decision, a stop or a recovery was recorded that the workflow has not acted on; null when there is none.</summary>
    public static DateTimeOffset? Unread(Incident incident)
    {
        if (incident.Stop is { } stop)
        {
            return stop.At;
        }

        if (incident.State != IncidentState.AwaitingApproval)
        {
            return null;
        }

        return incident.OpenGate is { } gate
            ? IncidentGates.RecoveredBeforeActing(incident) ? incident.AlertResolvedAt : Next(gate)
            : incident.Gates is [.., var last] ? last.ClosedAt : null;
    }

    /// <summary>Messages and further alerts are not progress: a page about standing still must not hide the standing still.</summary>
    private static DateTimeOffset Last(Incident incident) =>
        incident.Timeline.Where(entry => entry.Kind is not (TimelineKind.Message or TimelineKind.Alert)).Select(entry => entry.At)
            .Concat(incident.Verification.Select(finding => finding.At))
            .Concat(incident.Steps.Select(step => step.FinishedAt ?? step.StartedAt))
            .Append(incident.OpenedAt)
            .Max();

    private static DateTimeOffset Next(Gate gate) =>
        gate.Reminders.Select(reminder => reminder.At).Append(gate.ExpiresAt).Min();

    private static TimeSpan Longest(IReadOnlyList<StepSpec> steps) =>
        steps.Select(step => step.Retry.Attempts * (step.Timeout + (step.Retry.Delay * Math.Pow(2, step.Retry.Attempts - 1)))).Append(TimeSpan.Zero).Max();
}
