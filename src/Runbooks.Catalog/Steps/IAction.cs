using System.Collections.Frozen;
using Runbooks.Model.Storage;

namespace Runbooks.Catalog.Steps;

/// <summary>
/// <see cref="PrepareAsync"/> only reads, so plans, dry runs and precondition checks use the same code as a real run. Derive from
/// <see cref="RunbookAction{TParameters}"/>.
/// </summary>
public interface IAction
{
    /// <summary>As runbooks write it: <c>area.verb</c>, for example <c>kubernetes.recyclePod</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for the reference page.</summary>
    string Summary { get; }

    /// <summary>The least Azure or Kubernetes role that suffices. Null if none is needed.</summary>
    string? Role { get; }

    /// <summary>Whether running it twice is the same as running it once. If not, it is never repeated after a crash.</summary>
    bool Repeatable { get; }

    /// <summary>Whether <see cref="UndoAsync"/> restores the earlier state.</summary>
    bool Reversible { get; }

    /// <param name="with">As in the runbook's file, with unfilled templates.</param>
    Reversal ReversalOf(JsonElement with);

    /// <summary>Whether it only tells people or writes something down, so that there is nothing to undo.</summary>
    bool TellsOnly => false;

    /// <summary>Whether a person does it. The workflow asks and continues with the answer.</summary>
    bool IsManual => false;

    /// <summary>
    /// Whether such a step runs only after a person's approval: never in a runbook that asks nobody, and never because nobody answered.
    /// </summary>
    /// <param name="with">As in the runbook's file, with unfilled templates.</param>
    bool AlwaysAsks(JsonElement with);

    Type ParametersType { get; }

    /// <summary>All values that <see cref="ApplyAsync"/> may give to later steps.</summary>
    IReadOnlyList<StepOutput> Outputs { get; }

    string RemedyFor(string output) => Outputs.Count == 0
        ? "It has none."
        : $"{Suggestion.For(output, Outputs.Select(known => known.Name))}Its outputs are: "
            + $"{string.Join(", ", Outputs.Select(known => known.Name))}.";

    /// <summary>Says what would happen. Changes nothing, and may run any number of times.</summary>
    Task<Preparation> PrepareAsync(object parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Whether this identity has the permissions for <see cref="ApplyAsync"/>, if that can be asked without acting. Only a dry run asks.
    /// </summary>
    /// <returns>In words, with the role. Null if nothing is missing or nobody can tell.</returns>
    Task<string?> CheckPermissionsAsync(object parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>Acts. Intent and undo state are already recorded. Returns only when the effect is there.</summary>
    /// <exception cref="StepRefusedException">It must not run, and a retry will not change that.</exception>
    Task<ActionResult> ApplyAsync(object parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken);

    /// <summary>Restores the earlier state. Safe to run twice.</summary>
    /// <param name="undoState">As recorded from <see cref="Preparation.UndoState"/>.</param>
    Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken);
}

/// <summary>A value that later steps read as <c>steps.{step}.{name}</c>.</summary>
/// <param name="Description">One sentence for the reference page.</param>
/// <param name="Example">A realistic value, because a simulation gives it to later steps.</param>
public sealed record StepOutput(string Name, string Description, string Example);

public enum Reversal
{
    /// <summary>It cannot be undone.</summary>
    None,

    /// <summary>The earlier state is restored.</summary>
    Undone,

    /// <summary>It stays, and a person undoes it.</summary>
    Kept,
}

/// <inheritdoc cref="IAction"/>
public abstract class RunbookAction<TParameters>(string name, string summary) : IAction
    where TParameters : notnull
{
    public string Name => name;

    public string Summary => summary;

    public virtual string? Role => null;

    public virtual bool Repeatable => true;

    public virtual bool Reversible => false;

    public virtual Reversal ReversalOf(JsonElement with) => Reversible ? Reversal.Undone : Reversal.None;

    public virtual bool TellsOnly => false;

    public virtual bool IsManual => false;

    public virtual bool AlwaysAsks(JsonElement with) => false;

    public Type ParametersType => typeof(TParameters);

    public virtual IReadOnlyList<StepOutput> Outputs => [];

    /// <summary>A repeated attempt reuses the first preparation. The first attempt may already have changed what would be read now.</summary>
    protected virtual bool KeepsPreparation => Reversible;

    protected abstract Task<Preparation> PrepareAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    /// <inheritdoc cref="IAction.CheckPermissionsAsync"/>
    protected virtual Task<string?> CheckPermissionsAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(null);

    protected abstract Task<ActionResult> ApplyAsync(TParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken);

    public virtual Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        throw new StepRefusedException($"{Name} cannot be undone.");

    Task<Preparation> IAction.PrepareAsync(object parameters, StepContext context, CancellationToken cancellationToken) =>
        KeepsPreparation && context.Interrupted is { } begun ? Task.FromResult(begun) : PrepareAsync((TParameters)parameters, context, cancellationToken);

    Task<string?> IAction.CheckPermissionsAsync(object parameters, StepContext context, CancellationToken cancellationToken) =>
        CheckPermissionsAsync((TParameters)parameters, context, cancellationToken);

    Task<ActionResult> IAction.ApplyAsync(object parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        ApplyAsync((TParameters)parameters, preparation, context, cancellationToken);
}

/// <summary>
/// A refusal that a retry will not change (a missing role, a value that is not a pod name, a disruption budget). The message is for people:
/// what, where and the remedy, and never a secret.
/// </summary>
public class StepRefusedException(string message) : Exception(message)
{
    /// <summary>As <see cref="AttemptFailedException.NothingDone"/>. People are then not told that the step may be half done.</summary>
    public bool NothingDone { get; init; }
}

/// <summary>
/// What a step or its undo was to change must stay: somebody else has changed it since, or another incident relies on it. A person is told.
/// </summary>
public sealed class ChangedSinceException(string message) : StepRefusedException(message);

/// <summary>Everything was paused while a step waited between two of its changes. That says nothing about the step.</summary>
public sealed class StepPausedException(string message) : StepRefusedException(message);

/// <summary>A retry may help. The message is for people and never contains a secret.</summary>
public class AttemptFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// Nothing was changed: the request was never sent, or was refused. Even an action that is not repeatable is then retried, so never set
    /// it if any part may have happened.
    /// </summary>
    public bool NothingDone { get; init; }

    /// <summary>Nothing was changed, because somebody else is at work there or everything is paused. The step waits.</summary>
    public bool IsBusy { get; init; }
}

public sealed record StepContext
{
    public required string IncidentId { get; init; }

    public required string RunbookId { get; init; }

    public required string Target { get; init; }

    /// <summary><c>{incident}:{phase}:{step}</c>, the same on every attempt. Send it wherever the API takes one.</summary>
    public required string IdempotencyKey { get; init; }

    /// <summary>
    /// Set if an earlier attempt's outcome was never recorded. The action has to find out how far that attempt came, and finish it.
    /// </summary>
    public Preparation? Interrupted { get; init; }

    /// <summary>
    /// Ends a sentence about things that are already so. An interrupted attempt may have made them so, and "already" would be wrong.
    /// </summary>
    public string Found => Interrupted is null ? "already" : "when this attempt came to it, by an earlier attempt or by somebody else";

    /// <summary>The result of a step that found things as it makes them.</summary>
    /// <param name="was">That things were so, without the end of the sentence, which says since when.</param>
    public ActionResult FoundSo(string was) => new($"{was} {Found}.") { FoundSo = Interrupted is null };

    /// <summary>For what a person may want to see later: logs, bundles.</summary>
    public required IEvidenceStore Evidence { get; init; }

    public IReadOnlyDictionary<string, string> Samples { get; init; } = FrozenDictionary<string, string>.Empty;

    public required TimeProvider Time { get; init; }

    /// <summary>
    /// The parameters of a step that is undone, bound again because secrets are in no record. Null if they cannot be bound any more.
    /// </summary>
    public object? Parameters { get; init; }

    public StepProgress Progress { get; } = new();

    /// <summary>Why nothing may be changed now, in words. Null if changes are allowed.</summary>
    public Func<CancellationToken, Task<string?>> FindPause { get; init; } = _ => Task.FromResult<string?>(null);

    /// <summary>Call it before each change that follows a wait. A change that was already requested is still waited for.</summary>
    /// <param name="done">What was changed so far, to complete "before that, …". Null for nothing; the step then waits for its turn.</param>
    /// <exception cref="StepPausedException">Everything is paused, and something was changed already.</exception>
    /// <exception cref="AttemptFailedException">Everything is paused, and nothing was changed.</exception>
    public async Task EnsureNotPausedAsync(string? done, CancellationToken cancellationToken)
    {
        if (await FindPause(cancellationToken) is { } why)
        {
            throw done is null
                ? new AttemptFailedException($"{why} {(Interrupted is null ? "Nothing was changed." : "This attempt has changed nothing.")}") { IsBusy = true }
                : new StepPausedException($"{why} Before that, {done}; nothing was changed after it.");
        }
    }
}

/// <summary>What a step waits for, in words.</summary>
public sealed class StepProgress
{
    private volatile string? _words;

    /// <summary>Null until something was reported.</summary>
    public string? Text => _words;

    /// <param name="words">Follows "not done within 10m:", without a full stop.</param>
    public void Report(string words) => _words = words;
}
