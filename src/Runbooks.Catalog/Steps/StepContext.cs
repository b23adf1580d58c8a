using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Runbooks.Model.Storage;

namespace Runbooks.Catalog.Steps;

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

    /// <summary>Keeps what a person may want to see later: logs, bundles.</summary>
    public required IEvidenceStore Evidence { get; init; }

    /// <summary>The text files that the runbook's version holds, by the path that the runbook names.</summary>
    public IReadOnlyDictionary<string, string> Samples { get; init; } = FrozenDictionary<string, string>.Empty;

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

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
