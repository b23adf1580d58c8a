using System.Security.Cryptography;

namespace Runbooks.Model.Incidents;

/// <summary>
/// The one durable record of an incident. Every view (page, card, API, engine) reads it; it changes only through the
/// functions beside it, inside <see cref="IIncidentStore.UpdateAsync{T}"/>, so each rule stands in one place and
/// holds for every store.
/// </summary>
public sealed partial record Incident : Evolving
{
    public required string Id { get; init; }
    public required string RunbookId { get; init; }

    /// <summary>The version of the runbook that this incident is pinned to.</summary>
    public required string RunbookHash { get; init; }
    public required string Title { get; init; }
    public required string Target { get; init; }

    /// <summary>The target as it is compared with others; every rule about "the same target" goes by it.</summary>
    [JsonIgnore]
    public string TargetKey => Model.Alerts.TargetKey.Of(Target, Alert);

    /// <summary>The alert that opened it.</summary>
    public required Alert Alert { get; init; }

    /// <summary>How bad it is for people while it is broken, as the runbook said when it opened; null on a record that is older than this.</summary>
    public ImpactSeverity? Severity { get; init; }

    public IncidentState State { get; init; } = IncidentState.Diagnosing;

    /// <summary>How its runbook had come to be in force when it opened; null where the files lay there plainly.</summary>
    public Publication? Publication { get; init; }

    /// <summary>Whose runbook it is, as that said when it opened; null where it is nobody's in particular.</summary>
    public string? Team { get; init; }

    /// <summary>Why it is in this state, in words; null while nothing needs saying.</summary>
    public string? Reason { get; init; }

    /// <summary>Whoever started it by hand; null when an alert did.</summary>
    public string? StartedBy { get; init; }

    /// <summary>Nobody who answers for it started it: a person is asked before anything runs, even if it only tells.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsProposed { get; init; }

    public RunMode Mode { get; init; } = RunMode.Normal;

    /// <summary>The W3C <c>traceparent</c> that came with the post that opened it; null when none did.</summary>
    public string? TraceParent { get; init; }
    public required DateTimeOffset OpenedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>After a verified fix, or while a responder owns it, alerts on the target until this time belong to this incident.</summary>
    public DateTimeOffset? SettlesAt { get; init; }

    /// <summary>The incident whose fix did not hold, so that this one opened, or one before it about which nothing was done; null for any other.</summary>
    public string? Follows { get; init; }

    /// <summary>The storm that it is part of: people get one message about all of its incidents. Null while it asks by itself.</summary>
    public string? Storm { get; init; }

    [JsonIgnore]
    public bool InStorm => Storm is not null;

    /// <summary>All alerts that reached it, the first included.</summary>
    public int AlertCount { get; init; }
    public IReadOnlyList<AttachedAlert> Alerts { get; init; } = [];

    /// <summary>When the sender said that every alert of this incident is over.</summary>
    public DateTimeOffset? AlertResolvedAt { get; init; }

    /// <summary>What the checks answered when the sender said so before anything was done; null until they were asked.</summary>
    public RecoveryCheck? Recovery { get; init; }

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>The last verification round, in the same form.</summary>
    public IReadOnlyList<Finding> Verification { get; init; } = [];

    /// <summary>Every verification round after the mitigation, verifying or holding, in order.</summary>
    [JsonPropertyName("looks")]
    public IReadOnlyList<VerificationRound> VerificationRounds { get; init; } = [];
    public IReadOnlyList<Gate> Gates { get; init; } = [];
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];
    public IReadOnlyList<Delivery> Deliveries { get; init; } = [];

    /// <summary>When the mitigation began to be undone; from then on none of its steps may act.</summary>
    public DateTimeOffset? UndoBeganAt { get; init; }

    /// <summary>Not null once somebody asked for it to be stopped.</summary>
    public StopRequest? Stop { get; init; }

    /// <summary>The name of the event that the workflow waits for now, or will wait for next.</summary>
    public string? WakeEvent { get; init; }

    public IReadOnlyList<TimelineEntry> Timeline { get; init; } = [];

    public Gate? FindGate(string id) => Gates.FirstOrDefault(gate => gate.Id == id);

    /// <summary>By which a person is asked to do that step; null where nobody was.</summary>
    public Gate? FindTask(Phase phase, string step) => FindGate(Gate.IdOf(phase, step, undoes: false));

    [JsonIgnore]
    public Gate? OpenGate => Gates.LastOrDefault(gate => gate.Outcome == GateOutcome.Pending);

    [JsonIgnore]
    public Gate? LatestGate => Gates.Count == 0 ? null : Gates[^1];

    public StepRecord? FindStep(Phase phase, string name) =>
        Steps.FirstOrDefault(step => step.Phase == phase && step.Name == name);
}

/// <summary>
/// A record that was put back from a backup does not say what was done since. Nothing more is done on its word alone: a person
/// says yes again, and what was changed before is taken back by a person.
/// </summary>
public sealed partial record Incident
{
    /// <summary>When the record was found to be an earlier copy of itself; null for any other.</summary>
    public DateTimeOffset? RestoredAt { get; init; }

    /// <summary>What people are told of it.</summary>
    public const string RestoredText =
        "The record of this incident was restored from a backup. What was done after the backup was made is not in it: look at the target before you approve anything. Nothing more is done unless a person says yes again.";

    public Incident NoteRestored(DateTimeOffset now) => State.IsFinal()
        ? this
        : (this with { RestoredAt = now }).AddNews($"restored:{now.UtcTicks}", "runbook", RestoredText, now, urgent: true);

    /// <summary>
    /// Whether a person has said yes to what the automation does since the record was restored; true of a record that never was.
    /// That somebody did a step by hand is no such yes.
    /// </summary>
    [JsonIgnore]
    public bool IsAgreedSinceRestored => RestoredAt is not { } restored
        || Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved } && gate.Decisions.Any(decision => decision.Verb == DecisionVerb.Approve && decision.At > restored));
}

/// <summary>A person's wish to stop the automation of this incident.</summary>
/// <param name="TakesBack">They asked for what was changed to be taken back.</param>
public sealed record StopRequest(string By, string Reason, DateTimeOffset At, bool TakesBack = false) : Evolving
{
    /// <summary>It came before the resolution, so that whoever asked was told that what can be taken back is. That holds wherever the workflow reads it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool BeforeResolution { get; init; }

    /// <summary>Whether the fix is taken back, also where the resolution was next.</summary>
    [JsonIgnore]
    public bool UndoesFix => TakesBack || BeforeResolution;

    [JsonIgnore]
    public string Text => TakesBack ? $"{By} asked for what was changed to be taken back: {Reason}" : $"{By} stopped the incident: {Reason}";
}

/// <summary>Makes ids that sort by time and can be read out on the phone: <c>261123-0312-k7m2p9wd</c>.</summary>
internal static class IncidentId
{
    // Crockford's base32 without the letters that sound or look like another: 40 random bits are enough for a storm in one minute.
    private const string Letters = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 8;

    public static string New(DateTimeOffset now) =>
        $"{now.UtcDateTime.ToString("yyMMdd-HHmm", CultureInfo.InvariantCulture)}-{RandomNumberGenerator.GetString(Letters, Length)}";
}
