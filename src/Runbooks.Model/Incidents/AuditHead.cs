namespace Runbooks.Model.Incidents;

/// <summary>
/// What an incident's record must amount to. Whoever keeps <see cref="LastHash"/> elsewhere can also prove that nobody
/// has written the whole chain anew.
/// </summary>
public sealed record AuditHead(
    string Incident, string Runbook, string RunbookHash, string Target, IncidentState State, int Entries, string LastHash)
{
    public static AuditHead Of(Incident incident) => new(
        incident.Id, incident.RunbookId, incident.RunbookHash, incident.Target, incident.State, incident.Timeline.Count, HashOf(incident.Id, incident.Timeline));

    /// <summary>The chain begins with the incident's id.</summary>
    internal static string HashOf(string incidentId, IReadOnlyList<TimelineEntry> timeline) => timeline.Count == 0 ? incidentId : timeline[^1].Hash;
}
