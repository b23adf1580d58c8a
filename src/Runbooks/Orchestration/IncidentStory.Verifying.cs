using Microsoft.DurableTask;
using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <content>Seeing whether it helped: verification, undoing.</content>
internal sealed partial class IncidentStory
{
    private const int MaxUndoAttempts = 4;

    /// <summary>Each activity undoes at least one step, and a phase has no more steps.</summary>
    private const int MaxUndoActivities = 20;

    /// <summary>
    /// While the kill switch keeps the fix in place, it is read each minute up to this number of times, then every five minutes up
    /// to the next number, then every half hour. Such bounds keep the history small.
    /// </summary>
    private const int UndoLooksAtFirst = 30;
    private const int UndoLooksOften = 60;

    /// <summary>Other steps on the target go first, or a service is away, for two hours at most.</summary>
    private const int MaxUndoTurns = 60;
    private static readonly TimeSpan s_undoTurnPause = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan s_undoPause = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_timerSlack = TimeSpan.FromSeconds(1);

    /// <summary>A value that stays the same is still believed for this long, or for twice <c>within</c> if that is longer.</summary>
    private static readonly TimeSpan s_longestStandstill = TimeSpan.FromMinutes(30);

    private async Task<Ending?> VerifyAsync()
    {
        if (_runbook.Verify is not { } verify || IsPast(Stage.Verification))
        {
            return null;
        }

        Show(IncidentState.Verifying);
        var began = BeganOf(Stage.Verification);
        var (passes, passedAt, measured) = _checkpoint?.Stage == Stage.Verification
            ? (_checkpoint.Passes, _checkpoint.HealthySince, _checkpoint.Measured)
            : (0, null, null);
        while (true)
        {
            var wake = NextWake();
            var (round, _) = await TryRecheckAsync(IncidentState.Verifying, verify.Checks, wake);
            // Time in which nobody checked does not show that the fix did not help.
            began = NotAhead(Later(began, round.VerifiedAnewSince > Now ? null : round.VerifiedAnewSince));
            passedAt = passedAt is { } before ? NotAhead(before) : null;
            if (round.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            // An early wake-up does not make two rounds of one, nor does a value that is measured rarely.
            var isEarly = Now - passedAt < verify.Every;
            if (round.Healthy && !isEarly && !round.Repeats(measured))
            {
                (passes, passedAt, measured) = (passes + 1, Now, round.Measured);
            }

            if (round.IsRehearsal || (round.Healthy && passes >= verify.SuccessThreshold))
            {
                _verified = true;
                return null;
            }

            // Checks that began to pass in time have the time to go on.
            if (!round.Healthy)
            {
                (passes, passedAt, measured) = (0, null, null);
            }

            if (!round.Healthy && Now + verify.Every > began + verify.Within)
            {
                return new(IncidentState.Failed, EndingCause.DidNotHelp(verify.Within, round.IsUnclear, round.Summary), Undo: true)
                {
                    IsInconclusive = round.IsUnclear,
                };
            }

            // A value that stays exactly the same shows nothing more, but a rarely measured one may still be late.
            var longest = Longer(verify.Within * 2, s_longestStandstill);
            if (round.Healthy && !isEarly && Now > passedAt + longest)
            {
                return new(IncidentState.Failed, EndingCause.NoNewerValue(longest), Undo: true) { IsInconclusive = true };
            }

            // On the Functions host timers fire up to a second early, which would happen again and again without the slack.
            await WaitUntilAsync((isEarly && passedAt is { } last ? last + s_timerSlack : Now) + verify.Every, wake);
            if (HasWaitedTooOften())
            {
                return ContinueAsNew(At(Stage.Verification, began) with { Passes = passes, HealthySince = passedAt, Measured = measured });
            }
        }
    }

    private Task<RecheckResult> RecheckAsync(
        IncidentState state, IReadOnlyList<string> checks, string wake, IReadOnlyList<string>? watched = null) =>
        _context.CallActivityAsync<RecheckResult>(
            Recheck.Name, new RecheckRequest(_id, state, checks, wake) { Watched = watched ?? [] }, s_persistent);

    /// <summary>A failure to ask the checks, or to record their answers, says nothing about the fix and ends nothing.</summary>
    private async Task<(RecheckResult Round, bool WasSeen)> TryRecheckAsync(
        IncidentState state, IReadOnlyList<string> checks, string wake, IReadOnlyList<string>? watched = null)
    {
        try
        {
            return (await RecheckAsync(state, checks, wake, watched), true);
        }
        catch (TaskFailedException failure)
        {
            return (new RecheckResult(false, failure.FailureDetails.ErrorMessage, null) { IsUnclear = true }, false);
        }
    }

    private Task<bool> PageAsync(string key, string message) =>
        _context.CallActivityAsync<bool>(PagePerson.Name, new PageRequest(_id, key, message), s_persistent);

    /// <summary>A page that fails must not end what it is about.</summary>
    private async Task<bool> TryPageAsync(string key, string message)
    {
        try
        {
            await PageAsync(key, message);
            return true;
        }
        catch (TaskFailedException)
        {
            return false;
        }
    }

    /// <summary>
    /// What could not be undone is tried again for a while: leaving it in place is worse. While everything is paused it waits, however
    /// long that lasts, and people are told once.
    /// </summary>
    private async Task<UndoResult> UndoAsync(UndoRequest request)
    {
        // A lease may be kept and taken back another time: people are told each time.
        var key = request.EndsLease ? $"undo-paused:{Now:yyMMddHHmm}" : "undo-paused";

        // The pauses grow to keep the history small: undoing has no stage from which a new execution could go on.
        for (var (attempt, looks, turns, paged) = (1, 0, 0, false); ; )
        {
            var (result, wasTried) = await TryUndoOnceAsync(request);
            if (result.Paused is { } paused)
            {
                if (++looks > 1 && !paged)
                {
                    var unlessNeeded = request.EndsLease ? ", unless its cause is back by then" : "";
                    paged = await TryPageAsync(
                        key,
                        $"{request.Why} What was changed is not taken back while the kill switch is on. "
                            + $"It is taken back within half an hour after the kill switch is released{unlessNeeded}. {paused}");
                }

                var pause = looks switch
                {
                    <= UndoLooksAtFirst => s_watchPause,
                    <= UndoLooksOften => LongestLeasePause,
                    _ => StepUndoer.LongestPausedLook,
                };
                await _context.CreateTimer(pause, CancellationToken.None);
                continue;
            }

            if (result.IsBusy && turns++ < MaxUndoTurns)
            {
                await _context.CreateTimer(s_undoTurnPause, CancellationToken.None);
                continue;
            }

            if (result.Complete || result.IsFinal || result.HeldOn is not null || attempt == MaxUndoAttempts)
            {
                return result;
            }

            await _context.CreateTimer(wasTried ? s_undoPause * attempt : LongestLeasePause, CancellationToken.None);
            attempt++;
        }
    }

    private async Task<(UndoResult Result, bool WasTried)> TryUndoOnceAsync(UndoRequest request)
    {
        try
        {
            return (await UndoOnceAsync(request), true);
        }
        catch (TaskFailedException failure)
        {
            return (new UndoResult(false, failure.FailureDetails.ErrorMessage), false);
        }
    }

    private async Task<UndoResult> UndoOnceAsync(UndoRequest request)
    {
        var result = await _context.CallActivityAsync<UndoResult>(UndoSteps.Name, request, s_persistent);
        for (var more = 0; (result.HasMore || result.AwaitsPerson is not null) && more < MaxUndoActivities; more++)
        {
            if (result.AwaitsPerson is { } step)
            {
                await AskToDoAsync(Phase.Mitigation, step, undoes: true);
            }

            result = await _context.CallActivityAsync<UndoResult>(UndoSteps.Name, request, s_persistent);
        }

        return result;
    }

    private DateTimeOffset BeganOf(Stage stage) => _checkpoint?.Stage == stage ? _checkpoint.Began : Now;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <param name="Reason">What ended it. What was done, and with what result, comes from the record.</param>
internal sealed record Ending(
    IncidentState State, string Reason, bool Undo = false, IReadOnlyList<Finding>? Findings = null, bool InResolution = false)
{
    /// <summary>Not an end: the next execution goes on.</summary>
    public static readonly Ending InNextExecution = new(default, "");

    /// <summary>The reason says nothing about the fix: the automation broke, or was kept from acting.</summary>
    public bool IsInconclusive { get; init; }

    /// <summary>The checks are asked until then before this end is believed; null once they were.</summary>
    public DateTimeOffset? WatchUntil { get; init; }

    /// <summary>A person wants the changes to be taken back, or was told that they are, whatever the phase.</summary>
    public bool TakesBack { get; init; }

    public bool IsRecorded { get; init; }

    public bool GoesOn => ReferenceEquals(this, InNextExecution);

    public static Ending Of(GateStatus gate) => new(
        gate.Outcome switch
        {
            GateOutcome.Rejected => IncidentState.Rejected,
            GateOutcome.TakenOver => IncidentState.TakenOver,
            GateOutcome.Expired => IncidentState.Expired,
            GateOutcome.SelfRecovered => IncidentState.SelfRecovered,
            GateOutcome.Cancelled => IncidentState.Cancelled,
            GateOutcome.DiagnosedOnly or GateOutcome.Suppressed => IncidentState.NotNeeded,
            _ => IncidentState.Failed,
        },
        gate.Reason ?? "",
        // A later round is asked after earlier steps have run. A person who takes over finds things as they are.
        Undo: gate.Outcome != GateOutcome.TakenOver) { TakesBack = gate is { Outcome: GateOutcome.Cancelled, TakesBack: true } };

    public static Ending Of(string step, StepResult report) => report.End switch
    {
        StepOutcome.Stopped => Stopped(report.Message) with { TakesBack = report.TakesBack },
        StepOutcome.Held or StepOutcome.Waiting =>
            new(IncidentState.Failed, EndingCause.StepHeldTooLong(step, report.Message), Undo: true) { IsInconclusive = true },
        StepOutcome.Unknown => new(IncidentState.Failed, EndingCause.StepUnknown(step, report.Message)),
        _ => new(IncidentState.Failed, EndingCause.StepFailed(step, report.Message), Undo: true)
        {
            IsInconclusive = report.End != StepOutcome.Failed,
        },
    };

    public static Ending Stopped(string by) => new(IncidentState.Cancelled, by, Undo: true);
}
