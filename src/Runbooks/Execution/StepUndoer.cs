using System.Text.Json.Serialization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

/// <summary>Undoes in reverse order. Each step is recorded, so that after a crash it goes on where it was.</summary>
public sealed class StepUndoer(
    IIncidentStore store,
    PinnedRunbooks pinned,
    StepCatalog catalog,
    StepContextFactory contexts,
    CheckRunner checks,
    KillSwitch killSwitch,
    RestoredRecords restored,
    TimeProvider time,
    ILogger<StepUndoer> logger)
{
    /// <summary>After this long the next step is left to the next activity: a host may end one that takes too long.</summary>
    internal static readonly TimeSpan Budget = TimeSpan.FromMinutes(10);

    /// <summary>While the kill switch is on, it is read again at least this often.</summary>
    internal static readonly TimeSpan LongestPausedLook = TimeSpan.FromMinutes(30);

    /// <summary>Where a later try may help, it is made for as long as the workflow waits. People are told once the first tries have failed.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromHours(2);

    private static readonly TimeSpan s_firstTries = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(15);

    public async Task<UndoResult> UndoAsync(UndoRequest request, CancellationToken cancellationToken)
    {
        await restored.EnsureCheckedAsync(cancellationToken);
        var incident = await store.UpdateAsync(request.IncidentId, i => i.BeginUndo(request.Why, time.GetUtcNow()), cancellationToken);
        if (incident.State.IsFinal())
        {
            // The person who ended it has said what becomes of the changes.
            return new UndoResult(true, "") { IsFinal = true };
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var tried = new List<Tried>();
        var refusedByHand = false;
        var began = time.GetTimestamp();

        // Steps whose undo failed before come last, so that the others get their turn.
        var steps = incident.Steps
            .Where(step => step.IsToBeTakenBack)
            .Reverse()
            .OrderBy(step => step.Status == StepStatus.UndoFailed);
        foreach (var step in steps)
        {
            var asked = IsManual(step) ? incident.FindGate(Gate.IdOf(step.Phase, step.Name, undoes: true)) : null;
            var delay = tried.Count > 0 && time.GetElapsedTime(began) >= Budget
                ? new UndoResult(false, "") { HasMore = step.Status != StepStatus.UndoFailed }
                : await FindDelayAsync(request, incident, runbook, step, asked, tried, cancellationToken);
            if (delay is not null)
            {
                return delay with { Message = Describe(tried) };
            }

            if (asked is not null && step.Status == StepStatus.UndoFailed)
            {
                // A person has answered already.
                refusedByHand = true;
                continue;
            }

            var at = time.GetUtcNow();
            var attempt = asked is null
                ? await TryAsync(incident, step, runbook.FindStep(step.Phase, step.Name), cancellationToken)
                : ByHand(step, asked);
            attempt = attempt with { FailingSince = attempt.MayPass || attempt.IsBusy ? FailingSince(step, at) : null };
            await store.RecordAsync(incident.Id, i => Finish(i, attempt), time, cancellationToken);
            tried.Add(attempt);
        }

        var failed = refusedByHand || tried.Exists(attempt => attempt.Status == StepStatus.UndoFailed);
        var leftAlone = incident.Steps.Any(step => step.Status == StepStatus.LeftAlone)
            || tried.Exists(attempt => attempt.Status == StepStatus.LeftAlone);
        var failedForGood = tried.Exists(attempt => attempt is { Status: StepStatus.UndoFailed, MayPass: false, IsBusy: false });
        var late = tried.Where(attempt => IsLate(attempt) && (attempt.IsBusy || !failedForGood)).ToList();
        var page = await HoldAsync(request, late, cancellationToken);
        return new UndoResult(!failed && !leftAlone, Describe(tried))
        {
            Page = page,
            IsFinal = tried.TrueForAll(attempt => attempt.Status != StepStatus.UndoFailed || attempt.IsManual),
            IsLeftAlone = leftAlone && !failed,
            IsBusy = page is not null || tried.Exists(attempt => attempt.IsBusy),
        };
    }

    /// <summary>After a longer pause than tries have between them, as where the fix was held on meanwhile, it fails anew.</summary>
    /// <param name="at">When this try began.</param>
    private static DateTimeOffset FailingSince(StepRecord step, DateTimeOffset at) =>
        step is { Status: StepStatus.UndoFailed, FinishedAt: { } last, UndoFailingSince: { } since } && at - last < s_longestPause ? since : at;

    private bool IsLate(Tried attempt)
    {
        var failing = time.GetUtcNow() - attempt.FailingSince;
        return failing >= (attempt.IsBusy ? StepTurn.LongestSilence : s_firstTries) && failing < Patience;
    }

    /// <returns>What people have to know. Null if nothing waits.</returns>
    private async Task<DuePage?> HoldAsync(UndoRequest request, IReadOnlyList<Tried> late, CancellationToken cancellationToken)
    {
        if (late.Count == 0)
        {
            return null;
        }

        var (now, since) = (time.GetUtcNow(), late.Min(attempt => attempt.FailingSince!.Value));
        var (until, steps) = (since + Patience, EndingText.Names(late.Select(attempt => attempt.Step)));
        var why = $"{EndingText.Sentence(late[0].Result.Result)} It is tried again until {GateText.Clock(until, now)} at the latest.";
        var held = await store.UpdateAsync(request.IncidentId, i => i.HoldUndo(steps, why, until, now), cancellationToken);
        return new($"undo-late:{since:yyMMddHHmm}", $"{request.Why} {held.Reason}".TrimStart(), now);
    }

    private static Tried ByHand(StepRecord step, Gate asked)
    {
        var status = asked.Outcome == GateOutcome.Approved ? StepStatus.Undone : StepStatus.UndoFailed;
        return new(step, status, new(ManualTaskText.Outcome(asked))) { IsManual = true };
    }

    private async Task<UndoResult?> FindDelayAsync(
        UndoRequest request,
        Incident incident,
        Runbook runbook,
        StepRecord step,
        Gate? asked,
        List<Tried> tried,
        CancellationToken cancellationToken)
    {
        if (IsManual(step))
        {
            return asked is { Outcome: not GateOutcome.Pending } ? null : new(false, "") { AwaitsPerson = step.Name };
        }

        if ((await killSwitch.ReadAsync(cancellationToken)).Describe() is { } paused)
        {
            var now = time.GetUtcNow();
            await store.UpdateAsync(incident.Id, i => i.PauseUndo(step.Name, paused, now + LongestPausedLook, now), cancellationToken);
            return new(false, "") { Paused = paused };
        }

        var begun = incident.Steps.Any(other => other is { UndoneFrom: not null, Status: not StepStatus.UndoFailed } && !IsManual(other))
            || tried.Exists(attempt => !attempt.IsManual && attempt.Status != StepStatus.UndoFailed);
        if (begun || !request.EndsLease || incident.Stop is not null)
        {
            return null;
        }

        return await HoldOnAsync(incident, runbook, cancellationToken) is { } cause
            ? new(false, "") { HeldOn = cause }
            : null;
    }

    private static string Describe(IEnumerable<Tried> tried) =>
        string.Join(" ", tried.Select(attempt => $"{attempt.Step.Name}: {attempt.Result.Result}"));

    /// <summary>
    /// The undo may have been delayed for long since the cause was seen to be gone. So the checks are asked once more, but only until
    /// the automation has taken something back: half a fix is worse than none.
    /// </summary>
    /// <returns>What does not pass, so that the fix is held on.</returns>
    private async Task<string?> HoldOnAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (runbook.Mitigation.HoldUntil is not { } hold || incident.SawCauseGone(hold, time.GetUtcNow()))
        {
            return null;
        }

        var specs = runbook.Diagnosis.Where(spec => hold.Checks.Contains(spec.Name));
        var findings = incident.SinceFiring(await checks.AskAllAsync(incident, specs, cancellationToken), time.GetUtcNow());
        await store.UpdateAsync(incident.Id, i => i.LookBeforeTakingBack(findings, time.GetUtcNow()), cancellationToken);
        var against = findings.Where(finding => finding.Verdict != Verdict.Passing).ToList();
        return against.Count == 0 ? null : Incident.Summarize(against);
    }

    private bool IsManual(StepRecord step) => catalog.FindAction(step.Action) is { IsManual: true };

    private Incident Finish(Incident incident, Tried attempt)
    {
        var known = incident.FindStep(attempt.Step.Phase, attempt.Step.Name)! with { UndoFailingSince = attempt.FailingSince };
        var finished = incident.FinishStep(known, attempt.Status, attempt.Result, time.GetUtcNow());

        // Nobody is asked any more.
        return finished is { State: IncidentState.AwaitingApproval, OpenGate: null }
            ? finished with { State = IncidentState.Mitigating }
            : finished;
    }

    private async Task<Tried> TryAsync(Incident incident, StepRecord step, StepSpec? spec, CancellationToken cancellationToken)
    {
        if (catalog.FindAction(step.Action) is not { } action)
        {
            return new(step, StepStatus.UndoFailed, new($"this host has no action '{step.Action}'."));
        }

        var isStoppedSince = incident.Stop?.At > incident.RestoredAt;
        if (step.StartedAt < incident.RestoredAt && !isStoppedSince && !incident.IsAgreedSinceRestored)
        {
            return new(step, StepStatus.UndoFailed, new(
                "the record was restored from a backup, so nobody knows whether it was taken back already. "
                + "Look at the target, and take it back by hand."));
        }

        try
        {
            var key = $"{StepRecord.KeyOf(incident.Id, step.Phase, step.Name)}:undo";
            var context = contexts.For(incident, key, step.Preparation) with
            {
                Parameters = spec is null
                    ? null
                    : StepBinding.Of(spec.With, action.ParametersType, IncidentTemplateScope.Of(incident)).Parameters,
            };
            var result = await Deadline.WithinAsync(
                spec?.Timeout ?? StepSpec.DefaultTimeout,
                time,
                token => action.UndoAsync(step.Preparation.UndoState!.Value, context, token),
                cancellationToken,
                context.Progress);
            return new(step, StatusAfter(step, result), result with { Result = CleanText.Said(result.Result) });
        }
        catch (ChangedSinceException changed)
        {
            return new(step, StepStatus.LeftAlone, new(CleanText.Said(changed.Message)));
        }
        // It may fail in any way; the others are undone all the same.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.UndoFailed(logger, step.Name, incident.Id, Redactor.Redact(failure));
            return new(step, StepStatus.UndoFailed, new(CleanText.Said(failure.Message)))
            {
                IsBusy = failure is AttemptFailedException { IsBusy: true },
                MayPass = failure is AttemptFailedException { IsBusy: false } passing
                    ? action.Repeatable || passing.NothingDone
                    : failure is TimeoutException && action.Repeatable,
            };
        }
    }

    private static StepStatus StatusAfter(StepRecord step, ActionResult result) => result switch
    {
        { FoundSo: true } => StepStatus.AsBefore,
        _ when step.Preparation.UndoneByHand => StepStatus.Kept,
        { HandedOn: true } => StepStatus.HandedOn,
        _ => StepStatus.Undone,
    };

    private sealed record Tried(StepRecord Step, StepStatus Status, ActionResult Result)
    {
        public bool IsManual { get; init; }

        public bool IsBusy { get; init; }

        /// <summary>It failed, and a later try may help and is safe. One that waits for its turn has not failed.</summary>
        public bool MayPass { get; init; }

        public DateTimeOffset? FailingSince { get; init; }
    }
}

public sealed record UndoRequest(string IncidentId, string Why)
{
    /// <summary>The cause is gone: nobody asked for the undo, and nothing failed.</summary>
    public bool EndsLease { get; init; }
}

/// <param name="Complete">False when something that should have been undone was not.</param>
public sealed record UndoResult(bool Complete, string Message)
{
    /// <summary>The time was up before the last step: call again for the rest.</summary>
    public bool HasMore { get; init; }

    /// <summary>The step that a person takes back next: call again once they have answered.</summary>
    public string? AwaitsPerson { get; init; }

    /// <summary>Why everything is paused: call again when that is over.</summary>
    public string? Paused { get; init; }

    /// <summary>Why the fix is held on: its cause does not count as gone any more.</summary>
    public string? HeldOn { get; init; }

    /// <summary>Something else is at work on the target, or a service is away. Waiting is not a failed try.</summary>
    public bool IsBusy { get; init; }

    /// <summary>For people who have to know that it is tried again. Null if nobody has to.</summary>
    [JsonIgnore]
    public DuePage? Page { get; init; }

    /// <summary>Nothing failed: somebody has changed it since, so it was left to them.</summary>
    public bool IsLeftAlone { get; init; }

    /// <summary>Trying again would change nothing.</summary>
    public bool IsFinal { get; init; }
}
