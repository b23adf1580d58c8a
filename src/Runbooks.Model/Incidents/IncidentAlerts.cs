using Runbooks.Model.Alerts;

namespace Runbooks.Model.Incidents;

/// <summary>How alerts reach an incident that is already there.</summary>
public static class IncidentAlerts
{
    /// <summary>Distinct alerts listed on one incident; more are counted only, so that a storm cannot bloat the record.</summary>
    public const int MaxListed = 50;

    /// <summary>Lines that one record has about alerts at the most.</summary>
    public const int MaxTold = 100;

    /// <summary>Whether an alert on the same runbook and target belongs to this incident rather than to a new one.</summary>
    public static bool Accepts(this Incident incident, DateTimeOffset now) =>
        !incident.State.IsFinal() || now < incident.SettlesAt;

    /// <summary>
    /// Whether a resolved alert belongs to this incident. Most senders say so only after the fix was verified and the
    /// incident closed; what it was opened for is then over, and that is evidence for the fix.
    /// </summary>
    public static bool AcceptsResolved(this Incident incident, IReadOnlyList<Alert> alerts, DateTimeOffset now) =>
        incident.Accepts(now)
        || (incident.AlertResolvedAt is null && alerts.Any(alert => incident.Alerts.Any(known => known.Fingerprint == alert.Fingerprint && !known.Resolved)));

    /// <summary>Counts and lists the alert, firing or resolved.</summary>
    public static Incident Attach(this Incident incident, Alert alert, DateTimeOffset now)
    {
        var resolved = alert.Status == AlertStatus.Resolved;
        var known = incident.Alerts.FirstOrDefault(a => a.Fingerprint == alert.Fingerprint);

        // In a storm of ever different alerts the record must not grow with each of them.
        var isNew = known is null && incident.Alerts.Count < MaxListed;
        var listed = known switch
        {
            null when !isNew => incident.Alerts,
            null => [.. incident.Alerts, new(alert.Fingerprint, alert.Source, alert.Name, 1, now, now, resolved)],
            _ => [.. incident.Alerts.Select(a => a == known ? a with { Count = a.Count + 1, LastAt = now, Resolved = resolved } : a)],
        };
        var changed = incident with { Alerts = listed, AlertCount = incident.AlertCount + 1, UpdatedAt = now };
        if (!resolved)
        {
            changed = changed with { AlertResolvedAt = null };
            if (incident.State == IncidentState.Resolved && (isNew || known?.LastAt <= incident.ClosedAt))
            {
                return changed.Tell(now, alert, $"{alert.Name} fires after the fix was verified; the checks are asked again.");
            }

            return isNew && changed.AlertCount > 1
                ? changed.Tell(now, alert, $"Another alert on this target: {alert.Name}.")
                : changed;
        }

        // Of those that are only counted nobody knows whether they are over.
        var allListed = changed.AlertCount == listed.Sum(a => a.Count);
        return allListed && listed.All(a => a.Resolved) && incident.AlertResolvedAt is null
            ? (changed with { AlertResolvedAt = now }).Tell(now, alert, "The sender says the alert is resolved.")
            : changed;
    }

    /// <summary>An alert that comes and goes for days is counted on, and written about no more.</summary>
    private static Incident Tell(this Incident incident, DateTimeOffset now, Alert alert, string what) =>
        incident.Timeline.Count(line => line.Kind == TimelineKind.Alert) < MaxTold ? incident.Note(now, TimelineKind.Alert, alert.Source, what) : incident;
}
