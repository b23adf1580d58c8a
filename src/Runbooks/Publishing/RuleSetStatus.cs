namespace Runbooks.Publishing;

/// <summary>Which publication this process goes by, and which one it has refused.</summary>
public sealed class RuleSetStatus
{
    private volatile Seen _seen = new(null, null, null);
    private volatile IReadOnlyDictionary<string, string> _calendars = new Dictionary<string, string>();

    /// <summary>Null while plain files are in force.</summary>
    public Publication? InForce => _seen.InForce;

    /// <summary>The newest publication, when it cannot be used here; null when it is in force.</summary>
    public RefusedSet? Refused => _seen.Refused;

    /// <summary>A calendar that stands beside the contacts; null where there is none of that name.</summary>
    public string? FindCalendar(string name) => _calendars.GetValueOrDefault(name);

    /// <summary>What is in force in place of a publication that is refused, for people.</summary>
    public string Instead(Publication refused) => _seen switch
    {
        { InForce: { } publication } => publication.Name,
        { PartOf: { } part } => $"what of {(part == refused ? "it" : part.Name)} has no errors",
        _ => "what lay there as plain files",
    };

    internal void Take(RuleSet set) => _seen = new(set.Publication, set.PartOf, null);

    /// <summary>New ones come before the contacts that name them, and what nobody names any more goes after.</summary>
    internal void AddCalendars(RuleSet set) => _calendars = set.Calendars.Where(calendar => !_calendars.ContainsKey(calendar.Key)).Concat(_calendars).ToDictionary(StringComparer.Ordinal);

    internal void TakeCalendars(RuleSet set, ContactFiles? inForce) => _calendars = inForce is null ? set.Calendars : set.CalendarsOf(inForce, _calendars);

    /// <param name="refused">Null when the newest publication is in force after all.</param>
    internal void Refuse(RefusedSet? refused) => _seen = _seen with { Refused = refused };

    private sealed record Seen(Publication? InForce, Publication? PartOf, RefusedSet? Refused);
}

/// <param name="IsIncomplete">It could not be read whole; it may be copied to the place file by file.</param>
public sealed record RefusedSet(Publication Publication, IReadOnlyList<string> Errors, bool IsIncomplete = false)
{
    /// <summary>The folders of teams, as far as it could be read.</summary>
    public IReadOnlyList<TeamFiles> Teams { get; init; } = [];

    internal bool Says(RefusedSet? other) => Publication == other?.Publication && Errors.SequenceEqual(other.Errors);
}
