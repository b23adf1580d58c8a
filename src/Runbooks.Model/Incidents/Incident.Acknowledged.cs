using Runbooks.Model.Alerts;

namespace Runbooks.Model.Incidents;

/// <summary>What people do with the alert at its sender.</summary>
public sealed partial record Incident
{
    /// <summary>Noted once an alert; it counts as no alert, and whether the alert is over stays as it was.</summary>
    public Incident NoteAcknowledged(Alert alert, DateTimeOffset now)
    {
        var noted = Tell(now, alert.Source, $"{alert.Name} was acknowledged at the sender ({alert.Fingerprint}).");
        return ReferenceEquals(noted, this) || Timeline.Any(line => line.What == noted.Timeline[^1].What) ? this : noted;
    }
}
