namespace Runbooks.Model.Incidents;

/// <summary>
/// What follows a take-over. For the engine the incident is final; for people it stays open until the one who drives says
/// that it is over. Its <see cref="Incident.SettlesAt"/> holds how long alerts on the target keep folding into it.
/// </summary>
public static class IncidentHandback
{
    /// <summary>A person who drives hears of more alerts through this incident for so long; then somebody is asked anew.</summary>
    public static readonly TimeSpan LongestDrive = TimeSpan.FromHours(4);

    /// <summary>Whether a person took it over and has not closed it yet.</summary>
    public static bool IsDriven(this Incident incident) => incident is { State: IncidentState.TakenOver, SettlesAt: not null };

    /// <summary>Closed by hand. Says nothing about an incident that nobody drives.</summary>
    public static Incident CloseByHand(this Incident incident, string by, string reason, DateTimeOffset now) => incident.IsDriven()
        ? (incident with { SettlesAt = null, ClosedAt = now, Reason = $"{incident.Reason} Closed by {by}: {reason}".Trim() })
            .Note(now, TimelineKind.Closed, by, $"{by} closed it by hand: {reason}")
        : incident;

    /// <summary>What a new incident says about the one before it that a person still drives.</summary>
    public static Incident NoteEarlier(this Incident incident, Incident driven, DateTimeOffset now) => incident.Note(
        now, TimelineKind.Opened, "runbook",
        $"Incident {driven.Id} on this target was taken over and is not closed after {LongestDrive.TotalHours:0} h, so this alert opened a new one.");
}
