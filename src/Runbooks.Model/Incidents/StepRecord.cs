using System.Security.Cryptography;
using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>The intent is stored before it acts, and the outcome after. An intent without an outcome is an attempt that a crash cut off.</summary>
public sealed record StepRecord : Evolving
{
    public required Phase Phase { get; init; }
    public required string Name { get; init; }
    public required string Action { get; init; }
    public required string GateId { get; init; }
    public StepStatus Status { get; init; } = StepStatus.Running;

    /// <summary>Its status before it was undone. Null if nobody tried to.</summary>
    public StepStatus? UndoneFrom { get; init; }

    /// <summary>Since when each try to undo it has failed in a way that may pass, or waited for its turn. Null if the last one did not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? UndoFailingSince { get; init; }

    public int Attempts { get; init; } = 1;

    /// <summary>From before the first attempt. Undo restores this.</summary>
    public required Preparation Preparation { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The start or the break-off of the latest attempt. Null while the first attempt has done neither.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? AttemptedAt { get; init; }

    public string? Outcome { get; init; }
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>The host stopped, crashed or was paused half-way. That says nothing about the fix.</summary>
    public bool CutOff { get; init; }

    /// <summary>No attempt of it changed anything.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool NothingDone { get; init; }

    /// <summary>Its first attempt found things already as it was to make them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool FoundSo { get; init; }

    /// <summary>Whether things were already so when it was prepared or when its turn came.</summary>
    [JsonIgnore]
    public bool WasSo => Preparation.IsSo || FoundSo;

    [JsonIgnore]
    public string Line => $"{Name}: {HowUndone(Status)}{Outcome ?? "outcome not known"}";

    /// <summary>The start of a line. Once a step was to be undone, its outcome tells of that alone.</summary>
    public static string HowUndone(StepStatus status) => status switch
    {
        StepStatus.Undone => "undone. ",
        StepStatus.UndoFailed => "not known to be undone. ",
        StepStatus.LeftAlone => "NOT undone. ",
        _ => "",
    };

    [JsonIgnore]
    public bool IsChange => Status != StepStatus.DryRun && !Preparation.TellsOnly;

    /// <summary>Whether it is undone with the mitigation. A failed or cut-off attempt may have done half of it.</summary>
    [JsonIgnore]
    public bool IsToBeTakenBack =>
        Phase == Phase.Mitigation
        && !NothingDone
        && Preparation is { UndoState: not null, TellsOnly: false }
        && Status is not (StepStatus.Undone or StepStatus.Kept or StepStatus.LeftAlone
            or StepStatus.HandedOn or StepStatus.AsBefore or StepStatus.DryRun);

    /// <summary>The same on every attempt and after every crash.</summary>
    public static string KeyOf(string incidentId, Phase phase, string step) =>
        $"{incidentId}:{(phase == Phase.Mitigation ? "mitigation" : "resolution")}:{step}";
}

/// <summary>An approved step that others keep from acting on what it changes.</summary>
public sealed record StepTurn(string Step, DateTimeOffset Since, DateTimeOffset LastAt) : Evolving
{
    /// <summary>Others going first is no failure. Once it has lasted so long, people are told.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(30);

    /// <summary>After a longer pause than tries have between them, it waits anew.</summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(15);

    public static StepTurn Of(StepTurn? before, string step, DateTimeOffset now) =>
        before?.Step == step && now - before.LastAt < s_longestPause ? before with { LastAt = now } : new(step, now, now);
}

public enum StepStatus
{
    /// <summary>The intent is recorded, the outcome is not.</summary>
    Running,
    Done,

    /// <summary>Everything up to the last call. Nothing was touched.</summary>
    DryRun,
    Failed,

    /// <summary>It cannot be repeated and nobody knows whether it happened. A person has to look.</summary>
    Unknown,
    Undone,
    UndoFailed,

    /// <summary>The runbook says that a person undoes it. It was left as it is while the rest was undone.</summary>
    Kept,

    /// <summary>It was not undone and stays: somebody else has changed it since, or another incident relies on it permanently.</summary>
    LeftAlone,

    /// <summary>It stays until another incident that needs the same value undoes it.</summary>
    HandedOn,

    /// <summary>There was nothing to undo, because things had been so before it.</summary>
    AsBefore,
}

/// <summary>
/// What an action found before acting. It is shown on the approval page, hashed into the plan, and made again just before the step runs.
/// </summary>
public sealed record Preparation : Evolving
{
    /// <summary>The line that a person approves: what it will do, with the resolved parameters.</summary>
    [JsonPropertyName("will")]
    public required string PlannedEffect { get; init; }

    /// <summary>
    /// Identifies the target exactly (a pod's UID, an etag's resource id). If it differs at execution, the plan no longer applies. Null if
    /// the parameters are enough.
    /// </summary>
    public string? Identity { get; init; }

    /// <summary>Things are already as the step makes them, so it changes nothing, even if <see cref="Identity"/> differs.</summary>
    public bool IsSo { get; init; }

    /// <summary>How it is undone, in words. Null if it cannot be.</summary>
    public string? Undo { get; init; }

    /// <summary>What <see cref="IAction.UndoAsync"/> needs, recorded before the action acts. No secrets.</summary>
    public JsonElement? UndoState { get; init; }

    /// <summary>A person has to undo it; <see cref="Undo"/> says so.</summary>
    public bool UndoneByHand { get; init; }

    /// <summary>Whether it only tells people or writes something down, so that there is nothing to undo.</summary>
    public bool TellsOnly { get; init; }

    /// <summary>Why it must not run now. Null if it may. A refusal is shown, and nothing runs.</summary>
    public string? Refusal { get; init; }
}

/// <param name="Result">In words, in the past tense.</param>
public sealed record ActionResult(string Result)
{
    /// <summary>Later steps and messages may read them. Never a secret.</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>References from <see cref="IEvidenceStore"/>.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>For an undo: nothing was undone, because another incident needs the same value and will undo it.</summary>
    public bool HandedOn { get; init; }

    /// <summary>Nothing changed, because things were already so. For an undo: the step had changed nothing.</summary>
    public bool FoundSo { get; init; }
}

/// <summary>Exactly what will run: what a person sees, what the link is signed over, and what is compared at execution.</summary>
/// <param name="Hash">SHA-256 over runbook version, target, and every step's action, parameters, identity and shown sentences; lower-case
/// hex.</param>
/// <param name="Blocker">Why it must not run now. Null if it may.</param>
public sealed record Plan(string Hash, IReadOnlyList<PlannedStep> Steps, string? Blocker = null) : Evolving
{
    /// <summary>Which later steps could not run, whatever the first ones do, and why. Null if all could. Shown as a warning.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LaterBlocker { get; init; }

    /// <summary>Whether this program can undo everything that has to be undone, the resolution included.</summary>
    public bool Reversible => Steps.All(step => step.IsTakenBack);

    public bool TellsOnly => Steps.Count > 0 && Steps.All(step => step.TellsOnly);
}

/// <param name="Parameters">Resolved, with secrets masked. References to outputs of steps that have not run stay as written.</param>
/// <param name="PlannedEffect">What it will do, in words.</param>
/// <param name="Undo">How it is undone, in words. Null if it cannot be.</param>
/// <param name="Identity">Identifies its target exactly. Null if the parameters are enough.</param>
/// <param name="Deferred">Its parameters need outputs of earlier steps, so they are not known yet.</param>
/// <param name="UndoneByHand">A person has to undo it.</param>
public sealed record PlannedStep(
    Phase Phase,
    string Name,
    string Action,
    JsonElement Parameters,
    [property: JsonPropertyName("will")] string PlannedEffect,
    string? Undo,
    string? Identity,
    bool Deferred = false,
    bool UndoneByHand = false) : Evolving
{
    /// <summary>It only tells people or writes something down.</summary>
    public bool TellsOnly { get; init; }

    /// <summary>
    /// Whether it leaves nothing that this program does not undo. Only steps of the mitigation are undone, and not those that a person
    /// undoes.
    /// </summary>
    [JsonIgnore]
    public bool IsTakenBack => TellsOnly || this is { Phase: Phase.Mitigation, Undo: not null, UndoneByHand: false };

    /// <summary>Whether to say how it is undone. A step of the resolution is never undone, so only that it cannot be is worth a line.</summary>
    public bool ShowsUndo => Phase == Phase.Mitigation || Undo is null;

    /// <summary>Null if there is nothing to say.</summary>
    [JsonIgnore]
    public string? UndoLine => !ShowsUndo ? null : Undo is { } undo ? $"Undo: {undo}" : "Cannot be undone.";

    /// <summary>For a list of several steps. Null if there is nothing to say.</summary>
    [JsonIgnore]
    public string? NamedUndo => ShowsUndo ? $"{Name}: {Undo ?? "cannot be undone."}" : null;
}

/// <summary>Changes when anything that a person saw changes.</summary>
public static class PlanHash
{
    public static string Of(Incident incident, IReadOnlyList<PlannedStep> steps) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new
        {
            incident.RunbookHash,
            incident.Target,
            Steps = steps.Select(step => new { step.Phase, step.Name, step.Action, step.Parameters, step.Identity, step.PlannedEffect, step.Undo, step.UndoneByHand }),
        })));

    /// <returns>In words. Null for no difference.</returns>
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
