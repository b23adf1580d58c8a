using System.Buffers.Text;
using Runbooks.Model.Incidents;

namespace Runbooks.Model.Storage;

/// <summary>Which incidents to list. Null means any.</summary>
/// <param name="Open">True: only those not in a final state; false: only those in one.</param>
/// <param name="Limit">1 to <see cref="Most"/>.</param>
/// <param name="After">The cursor of the page before.</param>
/// <param name="Since">Only those opened at this time or later.</param>
/// <param name="LeftToPeople">True: only those that have ended and need a person, or that a responder owns. Answered from the index of the unfinished.</param>
/// <param name="Unfinished">True: those, and those that have ended with a change still in place. Answered from an index of their own.</param>
/// <param name="Text">Only those whose id, title, target or runbook holds each of these words, ignoring case.</param>
public sealed record IncidentQuery(
    IncidentState? State = null, string? RunbookId = null, bool? Open = null, int Limit = 50, string? After = null, DateTimeOffset? Since = null,
    bool LeftToPeople = false, string? Text = null, bool Unfinished = false)
{
    /// <summary>No page is longer.</summary>
    public const int Most = 500;

    /// <summary>Of the words that are looked for. A target is an Azure resource's id at times, which has hundreds of characters.</summary>
    public const int LongestText = 1_000;

    public const string TextTooLong = "Use at most 1,000 characters.";

    /// <summary>What no index answers: the words that are looked for, and which of the unfinished are meant.</summary>
    public bool Fits(IncidentSummary incident) =>
        (!LeftToPeople || incident.IsLeftToPeople) && (!Unfinished || incident.IsUnfinished) && HasText(incident);

    private bool HasText(IncidentSummary incident) => Text is null || Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word =>
        Holds(incident.Title, word) || Holds(incident.Target, word) || Holds(incident.Id, word) || Holds(incident.RunbookId, word));

    private static bool Holds(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}

/// <param name="Next">The cursor of the next page; null at the end.</param>
public sealed record IncidentPage(IReadOnlyList<IncidentSummary> Items, string? Next);

/// <summary>One line of a listing.</summary>
/// <param name="OwnedByResponder">A person took it over and has not closed it yet: final, and not over.</param>
/// <param name="Storm">The storm whose messages it shares; null while it asks by itself.</param>
/// <param name="TargetKey">The target as it is compared; null when that is as it is written.</param>
/// <param name="Headline">How it stands in a word or two; null when the words for its state say it.</param>
/// <param name="NeedsPerson">It ended with something for a person to do that nobody has acknowledged yet.</param>
public sealed record IncidentSummary(
    string Id,
    string RunbookId,
    string Title,
    string Target,
    IncidentState State,
    string? Reason,
    int AlertCount,
    DateTimeOffset OpenedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? ClosedAt,
    // Listings that are stored have it under this name.
    [property: JsonPropertyName("driven")] bool OwnedByResponder = false,
    string? Storm = null,
    string? TargetKey = null,
    bool NeedsPerson = false,
    string? Headline = null)
{
    private const int LongestQuestion = 200;

    /// <inheritdoc cref="Incident.Severity"/>
    public ImpactSeverity? Severity { get; init; }

    /// <summary>What is asked at the moment; null while nothing is.</summary>
    public string? Question { get; init; }

    /// <summary>What it has changed and not taken back, a line each; null when nothing.</summary>
    public IReadOnlyList<string>? Changes { get; init; }

    /// <summary>Until when it can be answered.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <inheritdoc cref="Incident.FirstResponseAt"/>
    public DateTimeOffset? FirstResponseAt { get; init; }

    /// <inheritdoc cref="Incident.MitigatedAt"/>
    public DateTimeOffset? MitigatedAt { get; init; }

    /// <summary>Nothing was touched: what it rehearsed says nothing about what would have helped.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>It ended because its checks called for nothing, and not because nothing was to act. Null where an older version has listed it.</summary>
    public bool? SawNothing { get; init; }

    /// <inheritdoc cref="Incident.WasSuppressed"/>
    [JsonIgnore]
    public bool WasSuppressed => this is { State: IncidentState.NotNeeded, Headline: EndingText.Suppressed };

    /// <summary>Since when a temporary fix has been held; null while none is.</summary>
    public DateTimeOffset? HeldSince { get; init; }

    /// <inheritdoc cref="Incident.EndedAt"/>
    /// <remarks>An older version has not listed it.</remarks>
    public DateTimeOffset? EndedAt { get => field ?? ClosedAt; init; }

    /// <inheritdoc cref="EndingText.IsFixed(Incident)"/>
    [JsonIgnore]
    public bool IsFixed => EndingText.IsFixed(State, Headline);

    /// <summary>Final and not over: it needs a person, or a responder owns it.</summary>
    [JsonIgnore]
    public bool IsLeftToPeople => NeedsPerson || OwnedByResponder;

    /// <inheritdoc cref="Incident.IsAftermathUnfinished"/>
    public bool IsEndUnfinished { get; init; }

    /// <inheritdoc cref="Incident.IsUnfinished"/>
    [JsonIgnore]
    public bool IsUnfinished => IsLeftToPeople || (State.IsFinal() && (IsEndUnfinished || Changes is not null));

    public static IncidentSummary Of(Incident incident) => new(
        incident.Id, incident.RunbookId, incident.Title, incident.Target, incident.State, incident.Reason,
        incident.AlertCount, incident.OpenedAt, incident.UpdatedAt, incident.ClosedAt, incident.IsOwnedByResponder(), incident.Storm,
        incident.TargetKey == incident.Target ? null : incident.TargetKey, incident.NeedsPerson,
        EndingText.Headline(incident) is var headline && headline == IncidentText.Of(incident.State) ? null : headline)
    {
        Severity = incident.Severity,
        Question = incident.OpenGate is { } gate ? Clip.To(gate.Question, LongestQuestion) : null,
        ExpiresAt = incident.OpenGate?.ExpiresAt,
        Changes = ChangeText.InPlace(incident) is { Count: > 0 } changes ? changes : null,
        FirstResponseAt = incident.FirstResponseAt(),
        MitigatedAt = incident.MitigatedAt(),
        EndedAt = incident.EndedAt,
        IsDryRun = incident.Mode == RunMode.DryRun,
        SawNothing = EndingText.SawNothing(incident),
        HeldSince = Lease.SinceOf(incident),
        IsEndUnfinished = incident.IsAftermathUnfinished,
    };
}

/// <summary>
/// A place in a listing, newest first: the time an incident was opened and, among those of the same moment, whatever
/// tells them apart in the store. It names a place, not a count, so incidents that arrive meanwhile move nothing.
/// </summary>
public sealed record IncidentCursor(DateTimeOffset OpenedAt, string Tie)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{OpenedAt.UtcTicks}:{Tie}"));

    /// <exception cref="FormatException">The text is no cursor of ours.</exception>
    public static IncidentCursor Parse(string cursor) => TryParse(cursor) ?? throw new FormatException("The text is no cursor of ours.");

    /// <returns>Null when the text is no cursor of ours.</returns>
    public static IncidentCursor? TryParse(string cursor) =>
        cursor.Length <= 1_000 && Base64Url.IsValid(cursor)
            && Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(':', 2) is [var ticks, var tie]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks && tie.All(char.IsAsciiLetterOrDigit)
                ? new(new DateTimeOffset(at, TimeSpan.Zero), tie)
                : null;
}
