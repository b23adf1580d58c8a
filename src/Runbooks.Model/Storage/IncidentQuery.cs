using System.Buffers.Text;
using Runbooks.Model.Incidents;

namespace Runbooks.Model.Storage;

/// <summary>Null means any.</summary>
/// <param name="Open">True for incidents that are not in a final state, false for those that are.</param>
/// <param name="Limit">1 to <see cref="Most"/>.</param>
/// <param name="After">The cursor of the page before.</param>
/// <param name="Since">Opened at this time or later.</param>
/// <param name="LeftToPeople">True for ended incidents that need a person or have a responder. Answered from the index of the unfinished.</param>
/// <param name="Unfinished">True for those, and ended ones with a change still in place. Answered from an index of its own.</param>
/// <param name="Text">Id, title, target or runbook contains each of these words, ignoring case.</param>
public sealed record IncidentQuery(
    IncidentState? State = null, string? RunbookId = null, bool? Open = null, int Limit = 50, string? After = null, DateTimeOffset? Since = null,
    bool LeftToPeople = false, string? Text = null, bool Unfinished = false)
{
    /// <summary>The longest page.</summary>
    public const int Most = 500;

    /// <summary>The longest search text in characters. A target may be the id of an Azure resource, which has hundreds.</summary>
    public const int LongestText = 1_000;

    public const string TextTooLong = "Use at most 1,000 characters.";

    /// <summary>Whether the incident fits the part of the query that no index answers.</summary>
    public bool Fits(IncidentSummary incident) =>
        (!LeftToPeople || incident.IsLeftToPeople) && (!Unfinished || incident.IsUnfinished) && HasText(incident);

    private bool HasText(IncidentSummary incident) => Text is null || Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word =>
        Holds(incident.Title, word) || Holds(incident.Target, word) || Holds(incident.Id, word) || Holds(incident.RunbookId, word));

    private static bool Holds(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}

/// <param name="Next">The cursor of the next page. Null at the end.</param>
public sealed record IncidentPage(IReadOnlyList<IncidentSummary> Items, string? Next);

/// <param name="OwnedByResponder">Final, but a person took it over and has not closed it yet.</param>
/// <param name="Storm">The storm whose messages it shares. Null while it asks by itself.</param>
/// <param name="TargetKey">The target as it is compared. Null if that equals the target.</param>
/// <param name="Headline">A word or two. Null if the text of the state says it.</param>
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
    // The name in stored listings.
    [property: JsonPropertyName("driven")] bool OwnedByResponder = false,
    string? Storm = null,
    string? TargetKey = null,
    bool NeedsPerson = false,
    string? Headline = null)
{
    private const int LongestQuestion = 200;

    /// <inheritdoc cref="Incident.Severity"/>
    public ImpactSeverity? Severity { get; init; }

    /// <summary>Null while nothing is asked.</summary>
    public string? Question { get; init; }

    /// <summary>The changes that are not undone, a line each. Null for none.</summary>
    public IReadOnlyList<string>? Changes { get; init; }

    /// <summary>Until when the question can be answered.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <inheritdoc cref="Incident.FirstResponseAt"/>
    public DateTimeOffset? FirstResponseAt { get; init; }

    /// <inheritdoc cref="Incident.MitigatedAt"/>
    public DateTimeOffset? MitigatedAt { get; init; }

    /// <summary>Nothing was touched, so the rehearsal says nothing about what would have helped.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Whether the checks found nothing wrong. Null where an older version has listed it.</summary>
    public bool? SawNothing { get; init; }

    /// <inheritdoc cref="Incident.WasSuppressed"/>
    [JsonIgnore]
    public bool WasSuppressed => this is { State: IncidentState.NotNeeded, Headline: EndingText.Suppressed };

    /// <summary>Since when a temporary fix is in place. Null for none.</summary>
    public DateTimeOffset? HeldSince { get; init; }

    /// <inheritdoc cref="Incident.EndedAt"/>
    /// <remarks>Older versions did not list it.</remarks>
    public DateTimeOffset? EndedAt { get => field ?? ClosedAt; init; }

    /// <inheritdoc cref="EndingText.IsFixed(Incident)"/>
    [JsonIgnore]
    public bool IsFixed => EndingText.IsFixed(State, Headline);

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

/// <summary>Newest first. New incidents do not move it.</summary>
public sealed record IncidentCursor(DateTimeOffset OpenedAt, string Tie)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{OpenedAt.UtcTicks}:{Tie}"));

    /// <exception cref="FormatException">The text is not one of our cursors.</exception>
    public static IncidentCursor Parse(string cursor) => TryParse(cursor) ?? throw new FormatException("The text is no cursor of ours.");

    /// <returns>Null if the text is not one of our cursors.</returns>
    public static IncidentCursor? TryParse(string cursor) =>
        cursor.Length <= 1_000 && Base64Url.IsValid(cursor)
            && Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(':', 2) is [var ticks, var tie]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks && tie.All(char.IsAsciiLetterOrDigit)
                ? new(new DateTimeOffset(at, TimeSpan.Zero), tie)
                : null;
}
