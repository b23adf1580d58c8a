using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>
/// What an action found when it looked before acting: shown on the approval page, hashed into the plan, and made again
/// just before the step runs.
/// </summary>
public sealed record Preparation
{
    /// <summary>What it will do, in words with the resolved parameters: the line a person approves.</summary>
    public required string Will { get; init; }

    /// <summary>
    /// What makes the target this very target (a pod's UID, an etag's resource id): when it differs at execution, the
    /// plan no longer holds. Null when the parameters alone say it all.
    /// </summary>
    public string? Identity { get; init; }

    /// <summary>How it is undone, in words; null when it cannot be.</summary>
    public string? Undo { get; init; }

    /// <summary>What <see cref="IAction.UndoAsync"/> needs, recorded before the action acts. No secrets.</summary>
    public JsonElement? UndoState { get; init; }

    /// <summary>Why it must not run as things are; null when it may. A refusal is shown, and nothing runs.</summary>
    public string? Refusal { get; init; }
}
