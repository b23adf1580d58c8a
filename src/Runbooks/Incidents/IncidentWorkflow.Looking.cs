using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Engine;
using Runbooks.Incidents.Activities;
using Runbooks.Steps;

namespace Runbooks.Incidents;

/// <content>Looking whether it helped: verification, the lease, undoing, the settle window.</content>
public sealed partial class IncidentWorkflow
{
    private async Task<Ending?> VerifyAsync()
    {
        if (_runbook.Mitigation.Verify is not { } verify)
        {
            return null;
        }

        Show(IncidentState.Verifying);
        var deadline = _context.UtcNow + verify.Within;
        while (true)
        {
            var wake = NextWake();
            var look = await LookAsync(IncidentState.Verifying, verify.Checks, wake);
            if (look.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            if (look.Healthy)
            {
                _fixed = true;
                return null;
            }

            if (_context.UtcNow + verify.Every > deadline)
            {
                return new(IncidentState.Failed, $"The fix did not help: {look.Summary}", Undo: true);
            }

            await _context.WaitForExternalEventAsync(wake, verify.Every);
        }
    }

    /// <summary>Keeps a temporary mitigation in place until the cause has been gone for a while, then reverts it.</summary>
    private async Task<Ending?> HoldAsync()
    {
        if (_runbook.Mitigation.HoldUntil is not { } hold)
        {
            return null;
        }

        Show(IncidentState.Holding);
        var began = _context.UtcNow;
        DateTimeOffset? healthySince = null;
        var pause = hold.Every;
        var paged = false;
        while (true)
        {
            var wake = NextWake();
            var look = await LookAsync(IncidentState.Holding, hold.Checks, wake);
            if (look.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            // While the cause lasts, looks grow rarer: an outage of a day must not make a history of thousands of events.
            healthySince = look.Healthy ? healthySince ?? _context.UtcNow : null;
            pause = look.Healthy ? hold.Every : Min(pause * 2, LongestLeasePause);
            if (healthySince is { } since && _context.UtcNow - since >= hold.StableFor)
            {
                break;
            }

            if (!paged && _context.UtcNow - began >= hold.AtMost)
            {
                paged = true;
                await _context.CallActivityAsync(IncidentActivities.Page, new PageRequest(
                    _id, "lease", $"The temporary mitigation has been in place for {hold.AtMost} and the cause is still there: {look.Summary}"), Persistent);
            }

            await _context.WaitForExternalEventAsync(wake, pause);
        }

        var undone = await UndoAsync("The cause is gone: the temporary mitigation is reverted.");
        return undone.Complete ? null : new(IncidentState.Failed, $"The temporary mitigation could not be reverted: {undone.Message}");
    }

    private Task<LookReport> LookAsync(IncidentState state, IReadOnlyList<string> checks, string wake) =>
        _context.CallActivityAsync(IncidentActivities.LookAgain, new LookRequest(_id, state, checks, wake), Persistent);

    /// <summary>What could not be undone is tried again for a while: leaving it in place is the worse end.</summary>
    private async Task<UndoReport> UndoAsync(string why)
    {
        for (var attempt = 1; ; attempt++)
        {
            var report = await _context.CallActivityAsync(IncidentActivities.UndoSteps, new UndoRequest(_id, why), Persistent);
            if (report.Complete || attempt == MaxUndoAttempts)
            {
                return report;
            }

            await _context.CreateTimerAsync(UndoPause * attempt);
        }
    }

    /// <summary>For a while after a verified fix an alert on the target is looked into: either the fix holds, or a new incident opens.</summary>
    private async Task SettleAsync()
    {
        if (_settle is not { } wake || _runbook.Mitigation.Verify is not { } verify)
        {
            return;
        }

        var until = _context.UtcNow + _runbook.Limits.SettleFor;
        try
        {
            while (_context.UtcNow < until && await WaitUntilAsync(until, wake))
            {
                wake = NextWake();
                var look = await LookAsync(IncidentState.Resolved, verify.Checks, wake);
                if (!look.Healthy)
                {
                    return;
                }

                // However many alerts come, the checks are asked no more often than while verifying.
                await _context.CreateTimerAsync(verify.Every);
            }
        }
        catch (ActivityFailedException)
        {
            // The incident has ended well; an alert after the window opens a new one.
        }
    }
}
