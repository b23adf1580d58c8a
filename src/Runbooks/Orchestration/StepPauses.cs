using Runbooks.Engine;
using Runbooks.Execution;

namespace Runbooks.Orchestration;

/// <summary>How long a step that did not run waits before it is tried again, and when that comes to an end.</summary>
internal sealed class StepPauses(IReadOnlyList<StepOutline> steps)
{
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Beside the attempts that a runbook gives its step, for what an attempt needs before it acts: the network, somebody's API.</summary>
    private const int MoreAttempts = 8;

    /// <summary>What may not run at the moment is tried this often. A guard that stays closed for longer is a matter for people.</summary>
    private static readonly TimeSpan s_holdPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestHold = TimeSpan.FromMinutes(30);

    /// <summary>Others have their turn first: it waits longer for that, and looks less and less often.</summary>
    private static readonly TimeSpan s_firstQueuePause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_longestQueuePause = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_longestQueue = TimeSpan.FromHours(4);

    private string? _step;
    private int _failed;
    private TimeSpan _held;
    private TimeSpan _queued;
    private TimeSpan _queuePause;
    private TimeSpan _pause;

    /// <returns>Null when the step has had its chances, or has none.</returns>
    public TimeSpan? Next(string step, StepOutcome end)
    {
        var retry = steps.First(known => known.Name == step).Retry;
        if (step != _step)
        {
            (_step, _failed, _held, _queued, _queuePause, _pause) = (step, 0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        }

        switch (end)
        {
            case StepOutcome.Held when _held < s_longestHold:
                _held += s_holdPause;
                return s_holdPause;
            case StepOutcome.Waiting when _queued < s_longestQueue:
                _queuePause = Doubled(_queuePause, s_firstQueuePause, s_longestQueuePause);
                _queued += _queuePause;
                return _queuePause;
            case StepOutcome.AttemptFailed when ++_failed < retry.Attempts + MoreAttempts:
                return _pause = Doubled(_pause, retry.Delay, Longest);
            default:
                return null;
        }
    }

    private static TimeSpan Doubled(TimeSpan last, TimeSpan first, TimeSpan longest) =>
        last == TimeSpan.Zero ? first : last >= longest ? last : last * 2 < longest ? last * 2 : longest;
}
