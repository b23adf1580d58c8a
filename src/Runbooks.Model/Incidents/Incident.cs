using System.Security.Cryptography;

namespace Runbooks.Model.Incidents;

/// <summary>
/// Every page, card, API answer and engine reads this one record. It changes only through the functions beside it, inside
/// <see cref="IIncidentStore.UpdateAsync{T}"/>, so each rule exists once and applies to every store.
/// </summary>
public sealed partial record Incident : Evolving
{
    public required string Id { get; init; }
    public required string RunbookId { get; init; }

    /// <summary>The runbook's version, which the incident keeps until its end.</summary>
    public required string RunbookHash { get; init; }
    public required string Title { get; init; }
    public required string Target { get; init; }

    /// <summary>The target in the form in which targets are compared.</summary>
    [JsonIgnore]
    public string TargetKey => Model.Alerts.TargetKey.Of(Target, Alert);

    public required Alert Alert { get; init; }

    /// <summary>The runbook's severity when it opened. Null in older records.</summary>
    public ImpactSeverity? Severity { get; init; }

    public IncidentState State { get; init; } = IncidentState.Diagnosing;

    /// <summary>The runbook's publication when it opened. Null for plain files.</summary>
    public Publication? Publication { get; init; }

    /// <summary>The runbook's team when it opened. Null for none.</summary>
    public string? Team { get; init; }

    /// <summary>In words. Null if there is nothing to say.</summary>
    public string? Reason { get; init; }

    /// <summary>Null if an alert started it.</summary>
    public string? StartedBy { get; init; }

    /// <summary>Nobody who is responsible started it. A person is asked before anything runs, even if it only tells.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsProposed { get; init; }

    public RunMode Mode { get; init; } = RunMode.Normal;

    /// <summary>The W3C <c>traceparent</c> of the post that opened it. Null if none came.</summary>
    public string? TraceParent { get; init; }
    public required DateTimeOffset OpenedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Until then alerts on the target belong to this incident, after a verified fix or a take-over.</summary>
    public DateTimeOffset? SettlesAt { get; init; }

    /// <summary>The incident whose fix did not last, so that this one or one before it was opened. Null for any other.</summary>
    public string? Follows { get; init; }

    /// <summary>People get one message about all incidents of a storm. Null while it asks by itself.</summary>
    public string? Storm { get; init; }

    [JsonIgnore]
    public bool InStorm => Storm is not null;

    /// <summary>All messages of alerts, the first included.</summary>
    public int AlertCount { get; init; }
    public IReadOnlyList<AttachedAlert> Alerts { get; init; } = [];

    /// <summary>When the sender ended every alert of this incident with an all-clear.</summary>
    public DateTimeOffset? AlertResolvedAt { get; init; }

    /// <summary>What the checks said when the sender ended the alerts before anything was done. Null until they were asked.</summary>
    public RecoveryCheck? Recovery { get; init; }

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>The last verification round.</summary>
    public IReadOnlyList<Finding> Verification { get; init; } = [];

    /// <summary>Every round of checks in order: while diagnosing, before the first step, verifying and holding.</summary>
    [JsonPropertyName("looks")]
    public IReadOnlyList<VerificationRound> VerificationRounds { get; init; } = [];
    public IReadOnlyList<Gate> Gates { get; init; } = [];
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];
    public IReadOnlyList<Delivery> Deliveries { get; init; } = [];

    /// <summary>When undoing the mitigation began. From then on none of its steps may act.</summary>
    public DateTimeOffset? UndoBeganAt { get; init; }

    /// <summary>Set once somebody asked to stop it.</summary>
    public StopRequest? Stop { get; init; }

    /// <summary>The event that the workflow waits for now or next.</summary>
    public string? WakeEvent { get; init; }

    public IReadOnlyList<TimelineEntry> Timeline { get; init; } = [];

    public Gate? FindGate(string id) => Gates.FirstOrDefault(gate => gate.Id == id);

    /// <summary>Null if nobody was asked.</summary>
    public Gate? FindTask(Phase phase, string step) => FindGate(Gate.IdOf(phase, step, undoes: false));

    [JsonIgnore]
    public Gate? OpenGate => Gates.LastOrDefault(gate => gate.Outcome == GateOutcome.Pending);

    [JsonIgnore]
    public Gate? LatestGate => Gates.Count == 0 ? null : Gates[^1];

    public StepRecord? FindStep(Phase phase, string name) =>
        Steps.FirstOrDefault(step => step.Phase == phase && step.Name == name);
}

/// <summary>
/// A record that was restored from a backup does not show what was done since. Nothing more is done without a new approval, and a person
/// undoes the earlier changes.
/// </summary>
public sealed partial record Incident
{
    /// <summary>Null if it is not an earlier copy of itself.</summary>
    public DateTimeOffset? RestoredAt { get; init; }

    public const string RestoredText =
        "The record of this incident was restored from a backup. What was done after the backup was made is not in it: "
        + "look at the target before you approve anything. Nothing more is done unless a person says yes again.";

    public Incident NoteRestored(DateTimeOffset now) => State.IsFinal()
        ? this
        : (this with { RestoredAt = now }).AddNews($"restored:{now.UtcTicks}", "runbook", RestoredText, now, urgent: true);

    /// <summary>Whether a person has approved since the restore. True if it was never restored. A manual step does not count.</summary>
    [JsonIgnore]
    public bool IsAgreedSinceRestored => RestoredAt is not { } restored
        || Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved }
            && gate.Decisions.Any(decision => decision.Verb == DecisionVerb.Approve && decision.At > restored));

    /// <summary>An entry has to be readable on a phone.</summary>
    public const int MaxText = 2_000;

    /// <summary>The most notes by people in one record.</summary>
    public const int MaxNotes = 100;

    /// <summary>A double click or a reloaded page sends a note twice.</summary>
    public static readonly TimeSpan SameNote = TimeSpan.FromMinutes(10);

    public Incident Note(DateTimeOffset at, TimelineKind kind, string who, string what)
    {
        var previous = Timeline.Count == 0 ? Id : Timeline[^1].Hash;
        var entry = new TimelineEntry(
            Timeline.Count + 1, at, kind, Cut(CleanText.Said(who), 200), Cut(CleanText.Said(what), MaxText), "");
        entry = entry with { Hash = HashOf(previous, entry) };
        return this with { Timeline = [.. Timeline, entry], UpdatedAt = at };
    }

    /// <summary>Compared after redacting and cutting.</summary>
    public Incident NoteOnce(DateTimeOffset at, TimelineKind kind, string who, string what)
    {
        var noted = Note(at, kind, who, what);
        return Timeline.Any(line => line.What == noted.Timeline[^1].What) ? this : noted;
    }

    /// <summary>A person's own words. Allowed after the end too.</summary>
    public (Incident Incident, DecisionResult Result) AddNote(string by, string text, DateTimeOffset now)
    {
        var noted = Note(now, TimelineKind.Note, by, text);
        var (who, what) = (noted.Timeline[^1].Who, noted.Timeline[^1].What);
        return Timeline.Any(line => line.Kind == TimelineKind.Note && line.Who == who && line.What == what && now - line.At < SameNote)
            ? (this, new(DecisionStatus.AlreadyCounted, "The note is on record already."))
            : Timeline.Count(line => line.Kind == TimelineKind.Note) < MaxNotes
            ? (noted, new(DecisionStatus.Decided, "The note is on record."))
            : (this, new(DecisionStatus.AlreadyClosed, $"Incident {Id} has {MaxNotes} notes already, which is as many as it takes."));
    }

    /// <summary>Sorted by time. The chain has the order of recording, which may differ slightly.</summary>
    public IReadOnlyList<TimelineEntry> TimelineByTime() => [.. Timeline.OrderBy(entry => entry.At).ThenBy(entry => entry.Number)];

    /// <summary>Who started it by hand and why. Empty if an alert opened it, and for a proposal, which is a warning instead.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> StartLines => IsProposed ? [] :
    [
        .. RetryOf is null
            ? []
            : Timeline
                .Where(line => line.Kind == TimelineKind.Opened && line.Who != "runbook")
                .TakeLast(1)
                .Select(line => Clip.To(line.What, 500)),
        .. Lines.Of(AlertIdentity.IsByHand(Alert.Source) && Alert.Summary is { } said ? Clip.To(said, 500) : null),
    ];

    /// <summary>Null while nobody has.</summary>
    public DateTimeOffset? FirstResponseAt() => Gates.SelectMany(gate => gate.Decisions).Select(decision => decision.At)
        .Concat(Stop is { } stop ? [stop.At] : []).Concat(Attention?.AcknowledgedAt is { } seen ? [seen] : []).Cast<DateTimeOffset?>().Min();

    /// <summary>Null if they never did, if they had passed before, or if it changed nothing.</summary>
    public DateTimeOffset? MitigatedAt() => Mode != RunMode.DryRun && EndingText.HasChanged(this)
        && VerificationRounds.FirstOrDefault(round =>
            round.State is IncidentState.Verifying or IncidentState.Holding
            && round.Verdicts.Values.All(verdict => verdict == Verdict.Passing)) is { } passed
        && !EndingText.PassedBefore(this, passed)
            ? passed.At
            : null;

    /// <summary>Null if the chain is intact.</summary>
    public static int? FindBreak(string incidentId, IReadOnlyList<TimelineEntry> timeline)
    {
        var previous = incidentId;
        for (var i = 0; i < timeline.Count; i++)
        {
            var entry = timeline[i];
            if (entry.Number != i + 1 || entry.Hash != HashOf(previous, entry))
            {
                return i + 1;
            }

            previous = entry.Hash;
        }

        return null;
    }

    private static string HashOf(string previous, TimelineEntry entry)
    {
        // Length prefixes make sure that two different entries never give the same bytes.
        var text = new StringBuilder();
        foreach (var part in (string[])
            [
                previous,
                entry.Number.ToString(CultureInfo.InvariantCulture),
                entry.At.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
                entry.Kind.ToString(),
                entry.Who,
                entry.What,
            ])
        {
            text.Append(part.Length).Append(':').Append(part);
        }

        return TextHash.Of(text.ToString());
    }

    private static string Cut(string text, int max) => text.Length <= max ? text : string.Concat(text.AsSpan(0, max - 1), "…");
}

/// <param name="TakesBack">They asked to undo its changes too.</param>
public sealed record StopRequest(string By, string Reason, DateTimeOffset At, bool TakesBack = false) : Evolving
{
    /// <summary>It came before the resolution, so the person was told that its changes are undone where possible.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool BeforeResolution { get; init; }

    /// <summary>Whether the fix is undone, even if the resolution was next.</summary>
    [JsonIgnore]
    public bool UndoesFix => TakesBack || BeforeResolution;

    [JsonIgnore]
    public string Text =>
        TakesBack ? $"{By} asked for what was changed to be taken back: {Reason}" : $"{By} stopped the incident: {Reason}";
}

/// <summary>Ids that sort by time and can be read out on the phone: <c>261123-0312-k7m2p9wd</c>.</summary>
internal static class IncidentId
{
    // Crockford's base32, without letters that sound or look alike. 40 random bits are enough for a storm within one minute.
    private const string Letters = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 8;

    public static string New(DateTimeOffset now) =>
        $"{now.UtcDateTime.ToString("yyMMdd-HHmm", CultureInfo.InvariantCulture)}-{RandomNumberGenerator.GetString(Letters, Length)}";
}

/// <summary>
/// One entry of the record, which is also the audit log. Append-only: each <see cref="Hash"/> covers the entry before, so a removed or
/// changed one shows.
/// </summary>
public sealed record TimelineEntry(int Number, DateTimeOffset At, TimelineKind Kind, string Who, string What, string Hash) : Evolving;

public enum TimelineKind { Opened, Alert, Diagnosis, Gate, Decision, Message, Step, Verification, Lease, Undo, Safety, Closed, Note }
