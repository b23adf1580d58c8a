using Microsoft.DurableTask;

namespace Runbooks.Orchestration;

/// <content>The lease: holding a temporary fix.</content>
internal sealed partial class IncidentStory
{
    private const int BrokenRounds = 2;

    private const int BlindRounds = 3;

    internal static readonly TimeSpan LongestLeasePause = TimeSpan.FromMinutes(5);

    internal const string LeaseTrouble = "lease";

    /// <summary>Once somebody was told that the lease lasts too long, it is looked at less often.</summary>
    internal static readonly TimeSpan LongestPauseOfOldLease = TimeSpan.FromMinutes(30);

    /// <summary>Keeps a temporary fix in place until its cause has been gone for a while, then takes it back.</summary>
    private async Task<Ending?> HoldAsync()
    {
        if (_runbook.HoldUntil is not { } hold || IsPast(Stage.Holding))
        {
            return null;
        }

        Show(IncidentState.Holding);
        var lease = new LeaseWait(hold, BeganOf(Stage.Holding), _checkpoint?.Stage == Stage.Holding ? _checkpoint : null);
        while (true)
        {
            var wake = NextWake();
            var (round, wasSeen) = await TryRecheckAsync(IncidentState.Holding, hold.Checks, wake, _runbook.Verify?.Checks);
            if (round.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            lease.Take(round, Now);
            var isStable = round.Healthy
                && lease.HealthySince is { } since
                && (round.MeasuredAt ?? Now) - since >= hold.StableFor;
            if (round.IsRehearsal || isStable)
            {
                var undone = await UndoAsync(new(_id, "The cause is gone, so the temporary fix is to be taken back.") { EndsLease = true });
                if (undone.HeldOn is not { } cause)
                {
                    return undone.Complete ? null : new(IncidentState.Failed, EndingCause.NotTakenBack(undone.IsLeftAlone));
                }

                var back = undone.Message.Length > 0 ? $" Taken back already: {undone.Message}" : "";
                await TryPageAsync(
                    $"lease-held-on:{Now:yyMMddHHmm}",
                    $"The temporary fix was to be taken back, but its cause does not count as gone any more: {cause} "
                        + $"It is held on until it does.{back}");
                lease.HealthySince = null;
                continue;
            }

            lease.Count(round, wasSeen);
            await PageOfLeaseAsync(lease, hold, round);

            // People may not know this wait's event: what they recorded in the meantime is read in the next round.
            var pause = lease.PagedBroken || lease.Broken == 0 ? lease.Pause : hold.Every;
            await WaitAsync(wake, wasSeen ? pause : Shorter(lease.Pause, s_watchPause));
            if (HasWaitedTooOften())
            {
                return ContinueAsNew(lease.In(At(Stage.Holding, lease.Began)));
            }
        }
    }

    private async Task PageOfLeaseAsync(LeaseWait lease, Hold hold, RecheckResult round)
    {
        // The change stays in place while nobody can check it, so somebody has to know.
        if (lease.Unseen > 0 && lease.Unseen % BlindRounds == 0)
        {
            await TryPageAsync(
                "lease-unseen",
                "The temporary fix is in place, and whether its cause is gone could not be found out "
                    + $"{BlindRounds} times in a row ({round.Summary}). It is tried again and again; the fix stays until then.");
        }

        if (!lease.Paged && Now - lease.Began >= hold.AtMost)
        {
            var why = round.Healthy
                ? $"the checks have not passed for {DurationText.Format(hold.StableFor)} without a break."
                : round.Summary;
            lease.Paged = await TryPageAsync(
                LeaseTrouble,
                $"The temporary fix has been in place for more than {DurationText.Format(hold.AtMost)} "
                    + $"and is not taken back yet: {why}");
        }

        // The fix may no longer help: there is another cause, or somebody took it away. One failing round may be chance.
        if (!lease.PagedBroken && lease.Broken >= BrokenRounds)
        {
            lease.PagedBroken = await TryPageAsync(
                "lease-broken",
                $"{round.NoLongerHelps} The fix is held until its cause is gone; take it back, or do something else about it.");
        }
    }

    private sealed class LeaseWait(Hold hold, DateTimeOffset began, Checkpoint? earlier)
    {
        public DateTimeOffset Began { get; private set; } = began;

        /// <summary>Since when its cause counts as gone; null while it lasts.</summary>
        public DateTimeOffset? HealthySince { get; set; } = earlier?.HealthySince;

        public TimeSpan Pause { get; private set; } = earlier?.Pause ?? hold.Every;

        public bool Paged { get; set; } = earlier?.Paged ?? false;

        public bool PagedBroken { get; set; } = earlier?.PagedBroken ?? false;

        /// <summary>Rounds in a row. Like <see cref="Unseen"/> it is not in the checkpoint: each execution counts from 0.</summary>
        public int Broken { get; private set; }

        public int Unseen { get; private set; }

        public void Take(RecheckResult round, DateTimeOffset now)
        {
            // While the cause lasts, the checks are asked less and less often. A kill switch alone does not stop the clock.
            Began = Earlier(Began, now);
            var isGone = round.Healthy || round.IsPaused;
            var passing = round.PassingSince > now ? null : round.PassingSince;
            HealthySince = isGone ? Earlier(Later(HealthySince ?? now, passing), now) : null;
            var longest = Longer(hold.Every, Paged ? LongestPauseOfOldLease : LongestLeasePause);
            Pause = isGone ? hold.Every : Shorter(Pause * 2, longest);
        }

        /// <summary>Not called for a round in which the fix was to be taken back and is kept: recorded histories depend on that.</summary>
        public void Count(RecheckResult round, bool wasSeen)
        {
            Unseen = wasSeen ? 0 : Unseen + 1;
            Broken = round.NoLongerHelps is null ? 0 : Broken + 1;
        }

        public Checkpoint In(Checkpoint at) => at with
        {
            HealthySince = HealthySince,
            Pause = Pause,
            Paged = Paged,
            PagedBroken = PagedBroken,
        };
    }
}

/// <content>The end, and the settle window after it.</content>
internal sealed partial class IncidentStory
{
    private async Task<IncidentState> CloseAsync(Ending ending)
    {
        if (ending.Undo && _acted)
        {
            var undone = await UndoAsync(new(_id, ending.Reason));

            // Something was left in place, so a person is needed whatever the ending was.
            ending = undone.Complete ? ending : ending with { State = IncidentState.Failed };
        }

        Show(ending.State);

        // A first attempt may have recorded it as resolved and then failed: then it keeps its settle window.
        _settle = ending.State == IncidentState.Resolved && _runbook.SettleFor > TimeSpan.Zero ? NextWake() : _settle;
        var state = await _context.CallActivityAsync<IncidentState>(
            EndIncident.Name,
            new CloseRequest(
                _id,
                ending.State,
                ending.Reason,
                ending.Findings ?? [],
                _settle,
                ending.InResolution,
                ending.IsInconclusive,
                ending.WatchUntil),
            s_persistent);
        if (state.IsFinal() || ending.State == IncidentState.NotNeeded)
        {
            return state;
        }

        // Somebody stopped it after the record was last read. If it has also failed, it needs a person.
        _acted = true;
        return await CloseAsync(ending.State == IncidentState.Failed ? ending with { Undo = true } : Ending.Stopped(EndingCause.Stopped));
    }

    /// <summary>
    /// For a while after a verified fix an alert on the target is looked into. The last round is when the window has ended, for an alert
    /// that came in between or raised no event.
    /// </summary>
    private async Task SettleAsync()
    {
        var resumed = _checkpoint?.Stage == Stage.Settling;
        if (_runbook.Verify is not { } verify || !(resumed || _settle is not null))
        {
            return;
        }

        var began = BeganOf(Stage.Settling);
        var until = began + _runbook.SettleFor;
        var wake = _settle;
        var unclear = false;
        var isLast = false;
        try
        {
            // A new execution asks at once: an alert may have come while it began.
            while (wake is null
                || unclear
                || (Now < until && await WaitUntilAsync(until, wake))
                || (_runbook.LooksAfterSettling && !isLast))
            {
                if (HasWaitedTooOften() && Now < until)
                {
                    ContinueAsNew(At(Stage.Settling, began));
                    return;
                }

                wake = NextWake();
                isLast = Now >= until;
                var round = await LookAsync(verify.Checks, wake, until);
                if (round is { Healthy: false })
                {
                    return;
                }

                unclear = round?.IsUnclear ?? true;
                if (isLast && _runbook.LooksAfterSettling)
                {
                    return;
                }

                // However many alerts come, the checks are asked no more often than during verification.
                await _context.CreateTimer(verify.Every, CancellationToken.None);
            }
        }
        catch (TaskFailedException failure)
        {
            await PageAsync(
                "settle",
                $"Whether the fix still holds could not be found out ({failure.FailureDetails.ErrorMessage}). "
                    + "Alerts on the target since the fix were not all looked into; look whether one fires.");
        }
    }

    /// <returns>Null when the checks could not be asked and there is time to try again.</returns>
    private async Task<RecheckResult?> LookAsync(IReadOnlyList<string> checks, string wake, DateTimeOffset until)
    {
        try
        {
            return await RecheckAsync(IncidentState.Resolved, checks, wake);
        }
        catch (TaskFailedException) when (Now < until)
        {
            return null;
        }
    }
}
