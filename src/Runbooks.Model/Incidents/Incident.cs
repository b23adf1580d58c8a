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
