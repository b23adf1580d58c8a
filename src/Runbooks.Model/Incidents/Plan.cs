using System.Security.Cryptography;
using System.Text.Json;

namespace Runbooks.Model.Incidents;

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
