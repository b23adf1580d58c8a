using Runbooks.Model.Alerts;

namespace Runbooks.Web.Incidents;

/// <summary>An alert in our own format. Text that looked like a secret was hidden when it was read.</summary>
public sealed record AlertView(
    string Source,
    string Name,
    string? Severity,
    string? Summary,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations,
    string Fingerprint,
    string? Link,
    string? Runbook,
    DateTimeOffset? StartsAt)
{
    public static AlertView Of(Alert alert) => new(
        alert.Source,
        alert.Name,
        alert.Severity,
        alert.Summary,
        alert.Labels,
        alert.Annotations,
        alert.Fingerprint,
        DisplayText.SafeLink(alert.Link),
        alert.Runbook,
        alert.StartsAt);
}

public sealed record AttachedAlertView(
    string Fingerprint,
    string Source,
    string Name,
    int Count,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    bool Resolved,
    string? EndedBecause,
    DateTimeOffset? StartsAt,
    DateTimeOffset? EndsAt,
    string? Severity,
    string? Summary,
    IReadOnlyDictionary<string, string> Labels,
    string? Link)
{
    /// <param name="opener">The alert that opened the incident, whose text is on record there.</param>
    public static AttachedAlertView Of(AttachedAlert attached, Alert opener)
    {
        var view = (attached.Alert ?? (attached.Is(opener) ? opener : null)) is { } alert ? AlertView.Of(alert) : null;
        return new(
            attached.Fingerprint,
            attached.Source,
            attached.Name,
            attached.Count,
            attached.FirstAt,
            attached.LastAt,
            attached.Resolved,
            attached.EndedBecause,
            attached.StartsAt,
            attached.EndsAt,
            view?.Severity,
            view?.Summary,
            view?.Labels ?? new Dictionary<string, string>(),
            view?.Link);
    }
}

/// <param name="Complete">Whether these and the listed ones are all that came.</param>
public sealed record UnlistedAlertsView(int Count, int Firing, bool Complete)
{
    public static UnlistedAlertsView? Of(Incident incident) => incident.UnlistedLines().Count == 0
        ? null
        : new(incident.Unlisted.Count, incident.UnlistedFiring, !incident.HasUnknownAlerts);
}

/// <param name="LongestSeconds">Of the episodes that have ended; null before the first has.</param>
public sealed record RecurrenceView(
    string Source, string Name, int Times, DateTimeOffset Since, DateTimeOffset LastAt, double? LongestSeconds)
{
    public static RecurrenceView Of(Recurrence known) =>
        new(known.Source, known.Name, known.Times, known.Since, known.LastAt, known.Longest?.TotalSeconds);
}
