namespace Runbooks.Model.Incidents;

/// <summary>One alert (by the sender's fingerprint) that reached an incident, with how often and when.</summary>
public sealed record AttachedAlert(
    string Fingerprint, string Source, string Name, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, bool Resolved)
{
    /// <summary>The sender's word when it ended the alert without an all-clear, such as <c>MissingSeries</c>; null otherwise.</summary>
    public string? EndedBecause { get; init; }

    /// <summary>Why its end would be none at the moment; null while its sender can measure it.</summary>
    public Unmeasured? Unmeasured { get; init; }

    /// <summary>When the first message of the present episode came; null in records of before.</summary>
    public DateTimeOffset? BeganAt { get; init; }

    /// <summary>When the sender says that the present episode started.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>When the sender says that it ended; null while it fires.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>Starts of the episodes before this one, the last few.</summary>
    public IReadOnlyList<DateTimeOffset> EarlierStarts { get; init; } = [];

    /// <summary>A message of an earlier episode was told of; it is told once.</summary>
    public bool ToldEarlier { get; init; }

    /// <summary>That it fires on after a person said no was told; it is told once.</summary>
    public bool ToldAfterNo { get; init; }

    /// <summary>The present episode came after a person's no to an alert that comes and goes: nobody has decided about it.</summary>
    public bool AskedNobody { get; init; }

    /// <summary>The incident that looks at it since this one ended; what is decided about it is decided there. Null for any other.</summary>
    public string? HandedTo { get; init; }

    /// <summary>What it said when it fired last; null for the alert that opened the incident, which is on record there.</summary>
    public Alert? Alert { get; init; }

    /// <summary>The sender's word for how bad it was at its worst in all its messages; null where there was one, or no word is known.</summary>
    public string? WorstSeverity { get; init; }

    /// <summary>Whether <see cref="Alert"/> has everything that the sender said, so that an incident can be opened for it.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The outage that it is a message about; null for any other alert.</summary>
    public string? Outage { get; init; }

    /// <summary>At its sender: with an all-clear or without one.</summary>
    [JsonIgnore]
    public bool HasEnded => Resolved || EndedBecause is not null;

    [JsonIgnore]
    public string Identity => AlertIdentity.Of(Source, Fingerprint);

    public bool Is(Alert alert) => Identity == AlertIdentity.Of(alert);
}
