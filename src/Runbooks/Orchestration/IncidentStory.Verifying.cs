using Microsoft.DurableTask;

namespace Runbooks.Orchestration;

/// <content>Seeing whether it helped: verification, the lease, undoing.</content>
internal sealed partial class IncidentStory
{
    private const int MaxUndoAttempts = 4;

    /// <summary>Each undoes one step at least, and a phase has no more steps.</summary>
    private const int MaxUndoActivities = 20;

    /// <summary>While the kill switch keeps the fix in place, it is read each minute up to the first number of times, every five minutes up to the second, and then every half hour: the history must stay small.</summary>
    private const int UndoLooksAtFirst = 30;
    private const int UndoLooksOften = 60;

    /// <summary>Others have their turn first: for two hours at most, so that its history stays small.</summary>
    private const int MaxUndoTurns = 60;
    private static readonly TimeSpan s_undoTurnPause = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan s_undoPause = TimeSpan.FromSeconds(20);

    /// <summary>Failing rounds in a row after which a held fix counts as no longer helping.</summary>
    private const int BrokenRounds = 2;

    /// <summary>Rounds of a lease in a row in which the checks could not be asked, after which somebody is paged.</summary>
    private const int BlindRounds = 3;

    /// <summary>A rarely measured value counts as standing still only after this time, or after twice <c>within</c> if that is longer.</summary>
    private static readonly TimeSpan s_longestStandstill = TimeSpan.FromMinutes(30);

    internal static readonly TimeSpan LongestLeasePause = TimeSpan.FromMinutes(5);

    /// <summary>The key of the page that says that a temporary fix has lasted longer than it should.</summary>
    internal const string LeaseTrouble = "lease";

    /// <summary>Once somebody was told that it lasts, there is less to hurry for.</summary>
    internal static readonly TimeSpan LongestPauseOfOldLease = TimeSpan.FromMinutes(30);

    private async Task<Ending?> VerifyAsync()
    {
        if (_runbook.Verify is not { } verify || IsPast(Stage.Verification))
        {
            return null;
        }

        Show(IncidentState.Verifying);
        var began = BeganOf(Stage.Verification);
        var (passes, passedAt, measured) = _checkpoint?.Stage == Stage.Verification ? (_checkpoint.Passes, _checkpoint.HealthySince, _checkpoint.Measured) : (0, null, null);
        while (true)
        {
            var wake = NextWake();
            var (round, _) = await TryRecheckAsync(IncidentState.Verifying, verify.Checks, wake);
            // Time in which nobody looked does not tell that the fix did not help.
            began = NotAhead(Later(began, round.VerifiedAnewSince > Now ? null : round.VerifiedAnewSince));
            passedAt = passedAt is { } before ? NotAhead(before) : null;
            if (round.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            // Whoever wakes it early does not make it two rounds, and neither does a value that comes more seldom than it is asked for.
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

            // What has begun to pass in time has the time to go on.
            if (!round.Healthy)
            {
                (passes, passedAt, measured) = (0, null, null);
            }

            if (!round.Healthy && Now + verify.Every > began + verify.Within)
            {
                return new(IncidentState.Failed, EndingCause.DidNotHelp(verify.Within, round.IsUnclear, round.Summary), Undo: true) { IsInconclusive = round.IsUnclear };
            }

            // A value that stays the very same shows nothing more, however often it is asked for. One that comes seldom may still be late.
            var longest = Longer(verify.Within * 2, s_longestStandstill);
            if (round.Healthy && !isEarly && Now > passedAt + longest)
            {
                return new(IncidentState.Failed, EndingCause.NoNewerValue(longest), Undo: true) { IsInconclusive = true };
            }

            await WaitUntilAsync((isEarly && passedAt is { } last ? last : Now) + verify.Every, wake);
            if (HasWaitedTooOften())
            {
                return ContinueAsNew(At(Stage.Verification, began) with { Passes = passes, HealthySince = passedAt, Measured = measured });
            }
        }
    }

    /// <summary>Keeps a temporary mitigation in place until the cause has been gone for a while, then reverts it.</summary>
    private async Task<Ending?> HoldAsync()
    {
        if (_runbook.HoldUntil is not { } hold || IsPast(Stage.Holding))
        {
            return null;
        }

        Show(IncidentState.Holding);
        var earlier = _checkpoint?.Stage == Stage.Holding ? _checkpoint : null;
        var began = BeganOf(Stage.Holding);
        var healthySince = earlier?.HealthySince;
        var pause = earlier?.Pause ?? hold.Every;
        var paged = earlier?.Paged ?? false;
        var (broken, pagedBroken) = (0, earlier?.PagedBroken ?? false);
        var unseen = 0;
        while (true)
        {
            var wake = NextWake();
            var (round, wasSeen) = await TryRecheckAsync(IncidentState.Holding, hold.Checks, wake, _runbook.Verify?.Checks);
            if (round.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            // While the cause lasts, the checks are asked ever more rarely. While only the kill switch is on, the time goes on.
            began = NotAhead(began);
            var isGone = round.Healthy || round.IsPaused;
            healthySince = isGone ? NotAhead(Later(healthySince ?? Now, round.PassingSince > Now ? null : round.PassingSince)) : null;
            pause = isGone ? hold.Every : Shorter(pause * 2, Longer(hold.Every, paged ? LongestPauseOfOldLease : LongestLeasePause));
            if (round.IsRehearsal || (round.Healthy && healthySince is { } since && (round.MeasuredAt ?? Now) - since >= hold.StableFor))
            {
                var undone = await UndoAsync(new(_id, "The cause is gone, so the temporary fix is to be taken back.") { EndsLease = true });
                if (undone.HeldOn is not { } cause)
                {
                    return undone.Complete ? null : new(IncidentState.Failed, EndingCause.NotTakenBack(undone.IsLeftAlone));
                }

                var back = undone.Message.Length > 0 ? $" Taken back already: {undone.Message}" : "";
                await TryPageAsync(string.Create(CultureInfo.InvariantCulture, $"lease-held-on:{Now:yyMMddHHmm}"), $"The temporary fix was to be taken back, but its cause does not count as gone any more: {cause} It is held on until it does.{back}");
                healthySince = null;
                continue;
            }

            // What was changed stays in place for as long as nobody can look, so somebody has to know.
            unseen = wasSeen ? 0 : unseen + 1;
            if (unseen > 0 && unseen % BlindRounds == 0)
            {
                await TryPageAsync("lease-unseen", $"The temporary fix is in place, and whether its cause is gone could not be found out {BlindRounds} times in a row ({round.Summary}). It is tried again and again; the fix stays until then.");
            }

            if (!paged && Now - began >= hold.AtMost)
            {
                paged = await TryPageAsync(LeaseTrouble, $"The temporary fix has been in place for more than {DurationText.Format(hold.AtMost)} and is not taken back yet: {(round.Healthy ? $"the checks have not passed for {DurationText.Format(hold.StableFor)} without a break." : round.Summary)}");
            }

            // Held on for another cause, or taken away by somebody else: the fix may help no longer. One failing round may be bad luck.
            broken = round.NoLongerHelps is null ? 0 : broken + 1;
            if (!pagedBroken && broken >= BrokenRounds)
            {
                pagedBroken = await TryPageAsync("lease-broken", $"{round.NoLongerHelps} The fix is held until its cause is gone; take it back, or do something else about it.");
            }

            // Nobody may know the name of this wait: what was recorded meanwhile is found at the next round.
            await WaitAsync(wake, !wasSeen ? Shorter(pause, s_watchPause) : pagedBroken || broken == 0 ? pause : hold.Every);
            if (HasWaitedTooOften())
            {
                return ContinueAsNew(At(Stage.Holding, began) with { HealthySince = healthySince, Pause = pause, Paged = paged, PagedBroken = pagedBroken });
            }
        }
    }

    private Task<RecheckResult> RecheckAsync(IncidentState state, IReadOnlyList<string> checks, string wake, IReadOnlyList<string>? watched = null) =>
        _context.CallActivityAsync<RecheckResult>(Recheck.Name, new RecheckRequest(_id, state, checks, wake) { Watched = watched ?? [] }, s_persistent);

    /// <summary>Whatever keeps the checks from being asked or their answers from the record: it says nothing about the fix, and ends nothing.</summary>
    private async Task<(RecheckResult Round, bool WasSeen)> TryRecheckAsync(IncidentState state, IReadOnlyList<string> checks, string wake, IReadOnlyList<string>? watched = null)
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

    /// <summary>A page that breaks off must not end what it is about.</summary>
    /// <returns>False when it did, and has to be tried again.</returns>
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
    /// What could not be undone is tried again for a while: leaving it in place is the worse end. While everything is paused it waits,
    /// however long that lasts, and people hear of it once. Whatever keeps it from being tried, or somebody from being paged, ends nothing.
    /// </summary>
    private async Task<UndoResult> UndoAsync(UndoRequest request)
    {
        // A lease may be held on instead, and be taken back another time: that is told each time.
        var key = request.EndsLease ? string.Create(CultureInfo.InvariantCulture, $"undo-paused:{Now:yyMMddHHmm}") : "undo-paused";

        // Its pauses grow, so that its history stays small though it is not continued as new: what is being taken back has no stage to go on from.
        for (var (attempt, looks, turns, paged) = (1, 0, 0, false); ; )
        {
            var (report, wasTried) = await TryUndoOnceAsync(request);
            if (report.Paused is { } paused)
            {
                if (++looks > 1 && !paged)
                {
                    paged = await TryPageAsync(key, $"{request.Why} What was changed is not taken back while the kill switch is on. It is taken back within half an hour after the kill switch is released{(request.EndsLease ? ", unless its cause is back by then" : "")}. {paused}");
                }

                await _context.CreateTimer(looks <= UndoLooksAtFirst ? s_watchPause : looks <= UndoLooksOften ? LongestLeasePause : StepUndoer.LongestPausedLook, CancellationToken.None);
                continue;
            }

            if (report.IsBusy && turns++ < MaxUndoTurns)
            {
                await _context.CreateTimer(s_undoTurnPause, CancellationToken.None);
                continue;
            }

            if (report.Complete || report.IsFinal || report.HeldOn is not null || attempt == MaxUndoAttempts)
            {
                return report;
            }

            await _context.CreateTimer(wasTried ? s_undoPause * attempt : LongestLeasePause, CancellationToken.None);
            attempt++;
        }
    }

    private async Task<(UndoResult Report, bool WasTried)> TryUndoOnceAsync(UndoRequest request)
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
        var report = await _context.CallActivityAsync<UndoResult>(UndoSteps.Name, request, s_persistent);
        for (var more = 0; (report.HasMore || report.AwaitsPerson is not null) && more < MaxUndoActivities; more++)
        {
            if (report.AwaitsPerson is { } step)
            {
                await AskToDoAsync(Phase.Mitigation, step, undoes: true);
            }

            report = await _context.CallActivityAsync<UndoResult>(UndoSteps.Name, request, s_persistent);
        }

        return report;
    }

    private DateTimeOffset BeganOf(Stage stage) => _checkpoint?.Stage == stage ? _checkpoint.Began : Now;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
