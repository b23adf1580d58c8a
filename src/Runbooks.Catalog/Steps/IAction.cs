using System.Collections.Frozen;
using Runbooks.Model.Storage;

namespace Runbooks.Catalog.Steps;

/// <summary>
/// Something that a runbook does, by name. Looking and acting are apart: <see cref="PrepareAsync"/> only reads, so a
/// plan, a dry run and the check of preconditions are the same code that a real run uses. Written by deriving from
/// <see cref="RunbookAction{TParameters}"/>.
/// </summary>
public interface IAction
{
    /// <summary>As runbooks write it: <c>area.verb</c>, for example <c>kubernetes.recyclePod</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for the reference page.</summary>
    string Summary { get; }

    /// <summary>The least Azure or Kubernetes role that suffices; null when none is needed.</summary>
    string? Role { get; }

    /// <summary>Whether running it twice is the same as running it once. When not, it is never repeated after a crash.</summary>
    bool Repeatable { get; }

    /// <summary>Whether <see cref="UndoAsync"/> brings back what was before.</summary>
    bool Reversible { get; }

    /// <summary>What undoing does to one step, where its parameters decide it.</summary>
    /// <param name="with">As the runbook's file has it, with its templates unfilled.</param>
    Reversal ReversalOf(JsonElement with);

    /// <summary>Whether it only tells people or writes something down: nothing outside is changed, and there is nothing to undo.</summary>
    bool TellsOnly => false;

    /// <summary>Whether a person does it: it is neither applied nor undone here, but asked about, and goes on with the answer.</summary>
    bool IsManual => false;

    /// <summary>Whether a step of it runs only after a person's yes: neither in a runbook that asks nobody, nor because nobody answered.</summary>
    /// <param name="with">As the runbook's file has it, with its templates unfilled.</param>
    bool AlwaysAsks(JsonElement with);

    Type ParametersType { get; }

    /// <summary>What it hands to later steps: all that <see cref="ApplyAsync"/> may give.</summary>
    IReadOnlyList<StepOutput> Outputs { get; }

    /// <summary>What to read instead of an output that it does not have.</summary>
    string RemedyFor(string output) => Outputs.Count == 0
        ? "It has none."
        : $"{Suggestion.For(output, Outputs.Select(known => known.Name))}Its outputs are: {string.Join(", ", Outputs.Select(known => known.Name))}.";

    /// <summary>Reads the world and says what would happen. Touches nothing; may run any number of times.</summary>
    Task<Preparation> PrepareAsync(object parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Asks the other side whether this identity may do what <see cref="ApplyAsync"/> would do last, where that can be
    /// asked without acting. Only a dry run asks: a real run hears it from the call itself.
    /// </summary>
    /// <returns>What is lacking, in words with the role; null when nothing is, or when nobody can tell.</returns>
    Task<string?> CheckPermissionsAsync(object parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>Acts. Intent and undo state are already recorded. Returns once the effect is there, not merely asked for.</summary>
    /// <exception cref="StepRefusedException">It must not run, and trying again will not change that.</exception>
    Task<ActionResult> ApplyAsync(object parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken);

    /// <summary>Brings back what was before; safe to run twice.</summary>
    /// <param name="undoState">As recorded from <see cref="Preparation.UndoState"/>.</param>
    Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken);
}

/// <summary>A value that later steps read as <c>steps.{step}.{name}</c>.</summary>
/// <param name="Description">One sentence for the reference page.</param>
/// <param name="Example">One that it may give: a simulation fills it in where a later step reads it, so it has to fit what such a value is for.</param>
public sealed record StepOutput(string Name, string Description, string Example);

/// <summary>What undoing does to a step.</summary>
public enum Reversal
{
    /// <summary>It cannot be undone.</summary>
    None,

    /// <summary>What was before is brought back.</summary>
    Undone,

    /// <summary>It is left as it is, and a person takes it back.</summary>
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

    /// <summary>
    /// Whether a repeated attempt goes on from what the first one prepared. That one may have changed already what would be
    /// read now, and what was there before it is the truth to go back to.
    /// </summary>
    protected virtual bool KeepsPreparation => Reversible;

    protected abstract Task<Preparation> PrepareAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    /// <inheritdoc cref="IAction.CheckPermissionsAsync"/>
    protected virtual Task<string?> CheckPermissionsAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken) =>
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
/// A check or an action says no for a reason that trying again will not change (a missing role, a value that is not a
/// pod name, a disruption budget). The message is shown to people: what, where and the remedy, and never a secret.
/// </summary>
public class StepRefusedException(string message) : Exception(message)
{
    /// <summary>As <see cref="AttemptFailedException.NothingDone"/>: people are then not told that the step may be half done.</summary>
    public bool NothingDone { get; init; }
}

/// <summary>
/// What a step was to change, or what undoing was to take back, is not to be touched: somebody else has changed it since, or
/// another incident relies on it. It stays, and a person is told.
/// </summary>
public sealed class ChangedSinceException(string message) : StepRefusedException(message);

/// <summary>Everything was paused while a step waited between two of its changes: it stopped there, which says nothing about it.</summary>
public sealed class StepPausedException(string message) : StepRefusedException(message);

/// <summary>An action could not do its work this time; trying again may help. The message is for people, and never holds a secret.</summary>
public class AttemptFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// Nothing was changed: the request was never sent, or the other side said that it will not do it. So an action that cannot
    /// be repeated safely may be tried again all the same. Not to be said once any part of the action may have happened.
    /// </summary>
    public bool NothingDone { get; init; }

    /// <summary>Nothing was changed, since somebody else is at work there or everything is paused: the step waits for its turn, and has not failed.</summary>
    public bool IsBusy { get; init; }
}

/// <summary>What a check or an action is given beside its parameters.</summary>
public sealed record StepContext
{
    public required string IncidentId { get; init; }

    public required string RunbookId { get; init; }

    public required string Target { get; init; }

    /// <summary><c>{incident}:{phase}:{step}</c>; the same on every attempt. Send it along wherever the API takes one.</summary>
    public required string IdempotencyKey { get; init; }

    /// <summary>
    /// The preparation of an attempt that began and whose outcome was never recorded; null normally. The action has to
    /// find out how far that attempt came, and finish it.
    /// </summary>
    public Preparation? Interrupted { get; init; }

    /// <summary>
    /// Ends the sentence about what was found as the step makes it. An attempt before may have done that, and then "already" would
    /// give it to somebody else.
    /// </summary>
    public string Found => Interrupted is null ? "already" : "when this attempt came to it, by an earlier attempt or by somebody else";

    /// <summary>What comes of a step that found things as it makes them. What an attempt before may have done is not said to have been so.</summary>
    /// <param name="was">That things were so; without its end, which says since when.</param>
    public ActionResult FoundSo(string was) => new($"{was} {Found}.") { FoundSo = Interrupted is null };

    /// <summary>Keeps what a person may want to see later: logs, bundles.</summary>
    public required IEvidenceStore Evidence { get; init; }

    /// <summary>The text files that the runbook's version holds, by the path that the runbook names.</summary>
    public IReadOnlyDictionary<string, string> Samples { get; init; } = FrozenDictionary<string, string>.Empty;

    public required TimeProvider Time { get; init; }

    /// <summary>The parameters of a step that is undone, bound anew: what is secret among them is in no record. Null when they cannot be bound any more.</summary>
    public object? Parameters { get; init; }

    /// <summary>How far a step is that waits for something: told when its time is over.</summary>
    public StepProgress Progress { get; } = new();

    /// <summary>Why nothing may be changed at the moment, in words; null when it may.</summary>
    public Func<CancellationToken, Task<string?>> FindPause { get; init; } = _ => Task.FromResult<string?>(null);

    /// <summary>
    /// To be called before each change that comes after a wait: somebody may have paused everything meanwhile. What was asked for
    /// already is waited for all the same.
    /// </summary>
    /// <param name="done">What has been changed until here, to complete "before that, …"; null where that is nothing, and the step then waits for its turn.</param>
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

/// <summary>How far a step is, in words: what it waits for, and who holds it up.</summary>
public sealed class StepProgress
{
    private volatile string? _words;

    /// <summary>Null while it has said nothing.</summary>
    public string? Text => _words;

    /// <param name="words">Follows "not done within 10m:", and ends without a full stop.</param>
    public void Report(string words) => _words = words;
}
