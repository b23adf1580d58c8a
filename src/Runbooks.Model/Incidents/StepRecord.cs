using System.Security.Cryptography;
using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>
/// One step of one incident: the intent, stored before it acts, and the outcome, stored after. An intent without an
/// outcome is an attempt that a crash cut off.
/// </summary>
public sealed record StepRecord : Evolving
{
    public required Phase Phase { get; init; }
    public required string Name { get; init; }
    public required string Action { get; init; }
    public required string GateId { get; init; }
    public StepStatus Status { get; init; } = StepStatus.Running;

    /// <summary>How it had ended before it was undone; null when nobody tried to.</summary>
    public StepStatus? UndoneFrom { get; init; }
    public int Attempts { get; init; } = 1;

    /// <summary>As it was before the first attempt: what undo brings back.</summary>
    public required Preparation Preparation { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When it was last known to be at work: the latest attempt began, or broke off. Null while the first one has done neither.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? AttemptedAt { get; init; }

    /// <summary>What it did, or why it did not, in words.</summary>
    public string? Outcome { get; init; }
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>It ended half-way because the host stopped or crashed, or everything was paused: that says nothing about the fix.</summary>
    public bool CutOff { get; init; }

    /// <summary>It was turned away before it had changed anything.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool NothingDone { get; init; }

    /// <summary>When its turn came it found things as it was to make them, on its first attempt.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool FoundSo { get; init; }

    /// <summary>Whether things were so before it, when they were looked at or by the time that its turn came: it has changed nothing.</summary>
    [JsonIgnore]
    public bool WasSo => Preparation.IsSo || FoundSo;

    /// <summary>As a line for people.</summary>
    [JsonIgnore]
    public string Line => $"{Name}: {Outcome ?? "outcome not known"}";

    /// <summary>Whether it is more than a rehearsal or a message.</summary>
    [JsonIgnore]
    public bool IsChange => Status != StepStatus.DryRun && !Preparation.TellsOnly;

    /// <summary>Whether it is undone when the mitigation is taken back. An attempt that failed or was cut off may have done half of it.</summary>
    [JsonIgnore]
    public bool IsToBeTakenBack =>
        Phase == Phase.Mitigation && Preparation is { UndoState: not null, TellsOnly: false } && Status is not (StepStatus.Undone or StepStatus.Kept or StepStatus.LeftAlone or StepStatus.HandedOn or StepStatus.AsBefore or StepStatus.DryRun);

    /// <summary>The same on every attempt and after every crash.</summary>
    public static string KeyOf(string incidentId, Phase phase, string step) =>
        $"{incidentId}:{(phase == Phase.Mitigation ? "mitigation" : "resolution")}:{step}";
}

public enum StepStatus
{
    /// <summary>Intent recorded, outcome not.</summary>
    Running,
    Done,

    /// <summary>Everything up to the last call; nothing was touched.</summary>
    DryRun,
    Failed,

    /// <summary>It cannot be repeated and nobody knows whether it happened: a person has to look.</summary>
    Unknown,
    Undone,
    UndoFailed,

    /// <summary>The rest was undone, and this was left as it is, as the runbook says: a person takes it back.</summary>
    Kept,

    /// <summary>It was to be undone, and was left as it is, and nobody takes it back: somebody else has changed it since, or another incident relies on it for good.</summary>
    LeftAlone,

    /// <summary>It was to be undone, and stays until another incident that holds the same value takes it back.</summary>
    HandedOn,

    /// <summary>It was to be undone, and there was nothing to undo: things had been so before it.</summary>
    AsBefore,
}

/// <summary>
/// What an action found when it looked before acting: shown on the approval page, hashed into the plan, and made again
/// just before the step runs.
/// </summary>
public sealed record Preparation : Evolving
{
    /// <summary>What it will do, in words with the resolved parameters: the line a person approves.</summary>
    [JsonPropertyName("will")]
    public required string PlannedEffect { get; init; }

    /// <summary>
    /// What makes the target this very target (a pod's UID, an etag's resource id): when it differs at execution, the
    /// plan no longer holds. Null when the parameters alone say it all.
    /// </summary>
    public string? Identity { get; init; }

    /// <summary>It is already as the step makes it, so that it changes nothing, whatever <see cref="Identity"/> was shown.</summary>
    public bool IsSo { get; init; }

    /// <summary>How it is undone, in words; null when it cannot be.</summary>
    public string? Undo { get; init; }

    /// <summary>What <see cref="IAction.UndoAsync"/> needs, recorded before the action acts. No secrets.</summary>
    public JsonElement? UndoState { get; init; }

    /// <summary>Undoing leaves it as it is, and a person takes it back; <see cref="Undo"/> says so.</summary>
    public bool UndoneByHand { get; init; }

    /// <summary>It only tells people or writes something down: nothing outside is changed, and there is nothing to undo.</summary>
    public bool TellsOnly { get; init; }

    /// <summary>Why it must not run as things are; null when it may. A refusal is shown, and nothing runs.</summary>
    public string? Refusal { get; init; }
}

/// <summary>What an action did.</summary>
/// <param name="Result">In words, in the past tense.</param>
public sealed record ActionResult(string Result)
{
    /// <summary>Values that later steps and messages may read. Never a secret.</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>References of evidence that was kept, as <see cref="IEvidenceStore"/> gave them.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>Of undoing: nothing was taken back, since another incident holds the same value and will.</summary>
    public bool HandedOn { get; init; }

    /// <summary>It changed nothing: it found things as it was to make them. Of undoing: nothing was taken back, since the step had changed nothing.</summary>
    public bool FoundSo { get; init; }
}

/// <summary>Exactly what will run: what a person is shown, what the link is signed over, what is compared at execution.</summary>
/// <param name="Hash">SHA-256 over runbook version, target, and every step's action, parameters, identity and the sentences that were shown; lower-case hex.</param>
/// <param name="Blocker">Why it must not run as things are; null when it may.</param>
public sealed record Plan(string Hash, IReadOnlyList<PlannedStep> Steps, string? Blocker = null) : Evolving
{
    /// <summary>Which of the later steps that it covers could not run whatever the first ones do, and why; null where all could. Shown as a warning.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LaterBlocker { get; init; }

    /// <summary>Whether all that this approval covers, the steps of the resolution included, is taken back by us where it has to be.</summary>
    public bool Reversible => Steps.All(step => step.IsTakenBack);

    /// <summary>Whether its steps only tell people or write something down.</summary>
    public bool TellsOnly => Steps.Count > 0 && Steps.All(step => step.TellsOnly);
}

/// <summary>One step as it would run now.</summary>
/// <param name="Parameters">Resolved, secrets masked; references to outputs of steps that have not run stay as written.</param>
/// <param name="PlannedEffect">What it will do, in words.</param>
/// <param name="Undo">How it is undone, in words; null when it cannot be.</param>
/// <param name="Identity">What makes its target this very target; null when the parameters say it all.</param>
/// <param name="Deferred">Its parameters need outputs of steps that run before it, so they are known only then.</param>
/// <param name="UndoneByHand">Undoing leaves it as it is, and a person takes it back.</param>
public sealed record PlannedStep(
    Phase Phase, string Name, string Action, JsonElement Parameters, [property: JsonPropertyName("will")] string PlannedEffect, string? Undo, string? Identity, bool Deferred = false, bool UndoneByHand = false) : Evolving
{
    /// <summary>It only tells people or writes something down: nothing outside is changed.</summary>
    public bool TellsOnly { get; init; }

    /// <summary>
    /// Whether it leaves nothing behind that we do not take back. Only steps of the mitigation are undone: what the resolution
    /// has changed stays, and what a person takes back is not ours.
    /// </summary>
    [JsonIgnore]
    public bool IsTakenBack => TellsOnly || this is { Phase: Phase.Mitigation, Undo: not null, UndoneByHand: false };

    /// <summary>Whether people have to know about undoing it: what cures the cause is never taken back, so only that it cannot be is worth a line.</summary>
    public bool ShowsUndo => Phase == Phase.Mitigation || Undo is null;

    /// <summary>The line about undoing it; null where none is worth one.</summary>
    [JsonIgnore]
    public string? UndoLine => !ShowsUndo ? null : Undo is { } undo ? $"Undo: {undo}" : "Cannot be undone.";
}

/// <summary>One value that changes when anything that a person was shown changes.</summary>
public static class PlanHash
{
    public static string Of(Incident incident, IReadOnlyList<PlannedStep> steps) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new
        {
            incident.RunbookHash,
            incident.Target,
            Steps = steps.Select(step => new { step.Phase, step.Name, step.Action, step.Parameters, step.Identity, step.PlannedEffect, step.Undo, step.UndoneByHand }),
        })));

    /// <returns>What is different about a step from what was planned, in words; null when nothing is.</returns>
    public static string? Difference(PlannedStep planned, JsonElement parameters, Preparation now)
    {
        if (planned.Deferred)
        {
            return null;
        }

        if (!JsonElement.DeepEquals(planned.Parameters, parameters))
        {
            return $"Step '{planned.Name}' would run with {parameters} instead of {planned.Parameters}.";
        }

        return planned.Identity is not null && planned.Identity != now.Identity && !now.IsSo
            ? $"Step '{planned.Name}': what it acts on is not as it was shown: it was {planned.Identity}, and is {now.Identity ?? "gone"}."
            : null;
    }
}
