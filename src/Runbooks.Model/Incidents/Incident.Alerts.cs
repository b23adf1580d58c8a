using Runbooks.Model.Alerts;

namespace Runbooks.Model.Incidents;

/// <summary>How alerts reach an incident that is already there.</summary>
public sealed partial record Incident
{
    /// <summary>Distinct alerts listed on one incident; more are counted only, so that a storm cannot bloat the record.</summary>
    public const int MaxListed = 50;

    /// <summary>Lines that one record has about alerts at the most.</summary>
    public const int MaxTold = 100;

    /// <summary>Whether an alert on the same runbook and target belongs to this incident rather than to a new one.</summary>
    public bool Accepts(DateTimeOffset now) =>
        !State.IsFinal() || now < SettlesAt;

    /// <summary>
    /// Whether a resolved alert belongs to this incident. Most senders say so only after the fix was verified and the
    /// incident closed; what it was opened for is then over, and that is evidence for the fix.
    /// </summary>
    public bool AcceptsResolved(IReadOnlyList<Alert> alerts, DateTimeOffset now) =>
        Accepts(now)
        || (AlertResolvedAt is null && alerts.Any(alert => Alerts.Any(known => known.Fingerprint == alert.Fingerprint && !known.Resolved)));

    /// <summary>Counts and lists the alert, firing or resolved.</summary>
    public Incident Attach(Alert alert, DateTimeOffset now)
    {
        var resolved = alert.Status == AlertStatus.Resolved;
        var known = Alerts.FirstOrDefault(a => a.Fingerprint == alert.Fingerprint);

        // In a storm of ever different alerts the record must not grow with each of them.
        var isNew = known is null && Alerts.Count < MaxListed;
        var listed = known switch
        {
            null when !isNew => Alerts,
            null => [.. Alerts, new(alert.Fingerprint, alert.Source, alert.Name, 1, now, now, resolved)],
            _ => [.. Alerts.Select(a => a == known ? a with { Count = a.Count + 1, LastAt = now, Resolved = resolved } : a)],
        };
        var changed = this with { Alerts = listed, AlertCount = AlertCount + 1, UpdatedAt = now };
        if (!resolved)
        {
            changed = changed with { AlertResolvedAt = null };
            if (State == IncidentState.Resolved && (isNew || known?.LastAt <= ClosedAt))
            {
                return changed.Tell(now, alert, $"{alert.Name} fires after the fix was verified; the checks are asked again.");
            }

            return isNew && changed.AlertCount > 1
                ? changed.Tell(now, alert, $"Another alert on this target: {alert.Name}.")
                : changed;
        }

        // Of those that are only counted nobody knows whether they are over.
        var allListed = changed.AlertCount == listed.Sum(a => a.Count);
        return allListed && listed.All(a => a.Resolved) && AlertResolvedAt is null
            ? (changed with { AlertResolvedAt = now }).Tell(now, alert, "The sender says the alert is resolved.")
            : changed;
    }

    /// <summary>An alert that comes and goes for days is counted on, and written about no more.</summary>
    private Incident Tell(DateTimeOffset now, Alert alert, string what) =>
        Timeline.Count(line => line.Kind == TimelineKind.Alert) < MaxTold ? Note(now, TimelineKind.Alert, alert.Source, what) : this;
}

/// <summary>One alert (by the sender's fingerprint) that reached an incident, with how often and when.</summary>
public sealed record AttachedAlert(
    string Fingerprint, string Source, string Name, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, bool Resolved);
