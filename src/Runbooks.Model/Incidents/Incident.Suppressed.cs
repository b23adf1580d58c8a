namespace Runbooks.Model.Incidents;

/// <summary>What a maintenance window kept from acting.</summary>
public sealed partial record Incident
{
    /// <summary>Whether it ended because, as planned, nothing was to run.</summary>
    public bool WasSuppressed() =>
        State == IncidentState.NotNeeded && LatestGate?.Outcome is GateOutcome.DiagnosedOnly or GateOutcome.Suppressed;

    /// <summary>This one, just opened, looks at what was suppressed; the alerts that are known to be over stay so.</summary>
    public Incident TakeUp(Incident suppressed, DateTimeOffset now) =>
        (this with { Alerts = suppressed.Alerts, AlertCount = suppressed.AlertCount })
            .Note(now, TimelineKind.Opened, "runbook", $"The maintenance window has ended and the alert was not said to be over. Incident {suppressed.Id} was suppressed by it; this one looks again.");

    /// <summary>A suppressed incident says where it was taken up.</summary>
    public Incident NoteTakenUp(string by, DateTimeOffset now) =>
        Timeline.Any(line => line.What.Contains(by, StringComparison.Ordinal)) ? this
            : Note(now, TimelineKind.Alert, "runbook", $"The maintenance window has ended and the alert was not said to be over: incident {by} looks at it.");
}
