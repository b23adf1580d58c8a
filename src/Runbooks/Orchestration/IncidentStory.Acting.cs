using Microsoft.DurableTask;
using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <content>Asking people, and running what they approved.</content>
internal sealed partial class IncidentStory
{
    /// <summary>A plan that changes more often while people decide is not worth asking about again.</summary>
    private const int MaxRounds = 5;

    /// <summary>What was approved has more time than the rest to reach the store and the network.</summary>
    private static readonly TaskOptions s_patient = Retry(PersistentAttempts + 4, TimeSpan.FromSeconds(2), longest: StepPauses.Longest);

    private IReadOnlyList<Finding> _findings = [];
    private Conclusion _conclusion;

    /// <summary>The end of the time that the healthy answers measured, and when the alert began. Null: the moment of asking.</summary>
    private (DateTimeOffset? Until, DateTimeOffset? FiringSince) _measured;

    /// <summary>The gate that the diagnosis opened, and its event; null once it was used.</summary>
    private (GateStatus Gate, string Wake)? _opened;

    private async Task<Ending?> MitigateAsync() => IsPast(Stage.Mitigation)
        ? null
        : await ActAsync(Phase.Mitigation, _findings, unclear: _conclusion == Conclusion.Unclear);

    private async Task<Ending?> ResolveAsync()
    {
        if (_runbook.Resolution.Count == 0 || IsPast(Stage.Resolution))
        {
            return null;
        }

        // Without an approval of its own it runs under that of the mitigation, as long as that covers it.
        Ending? ending = null;
        string? difference = null;
        var asks = _runbook.ResolutionAsks || OpenRound(Phase.Resolution) is not null;
        try
        {
            if (!asks)
            {
                (ending, difference) = await RunStepsAsync(Phase.Resolution, _gate, ran: null);
            }

            if (asks || difference is not null)
            {
                ending = await ActAsync(Phase.Resolution, [], unclear: false, difference);
            }
        }
        catch (TaskFailedException failure)
        {
            ending = Broken(failure);
        }

        // The fix works; what remains is the cause, and a person is told so. The fix stays unless somebody wants it taken back.
        return ending is null or { GoesOn: true }
            ? ending
            : ending with { Undo = ending.TakesBack, InResolution = true };
    }

    /// <summary>Asks, then acts. A plan that has changed when it is about to run is asked about again.</summary>
    /// <param name="difference">Why the earlier approval does not cover the plan; null where there was none.</param>
    private async Task<Ending?> ActAsync(Phase phase, IReadOnlyList<Finding> findings, bool unclear, string? difference = null)
    {
        for (var round = OpenRound(phase) ?? 1; round <= MaxRounds; round++)
        {
            var gate = await AskPeopleAsync(phase, round, round == 1 ? findings : [], unclear, difference);
            if (gate is null)
            {
                return Ending.InNextExecution;
            }

            if (gate.Outcome != GateOutcome.Approved)
            {
                return Ending.Of(gate);
            }

            (_gate, _round) = (gate.GateId, round);
            var (ending, changed) = await RunStepsAsync(phase, gate.GateId, gate.Ran);
            if (changed is null)
            {
                return ending;
            }

            difference = changed;
        }

        return new(IncidentState.Failed, EndingCause.PlanKeptChanging(MaxRounds, difference), Undo: true);
    }

    /// <returns>Null when the next execution asks instead.</returns>
    private async Task<GateStatus?> AskPeopleAsync(
        Phase phase, int round, IReadOnlyList<Finding> findings, bool unclear, string? difference)
    {
        var began = _checkpoint?.Began ?? Now;
        var (gate, wake) = _opened ?? await OpenAsync();
        _opened = null;
        return await WaitForAnswerAsync(gate, wake, phase, () =>
        {
            _gate = gate.GateId;
            ContinueAsNew(At(StageOf(phase), began, round));
        });

        async Task<(GateStatus Gate, string Wake)> OpenAsync()
        {
            var wake = NextWake();
            if (OpenRound(phase) == round)
            {
                return (await ReviewAsync(_gate, wake, phase), wake);
            }

            var request = new OpenGateRequest(_id, phase, round, findings, unclear, difference, wake);
            return (await _context.CallActivityAsync<GateStatus>(OpenGate.Name, request, s_persistent), wake);
        }
    }

    /// <summary>A yes says that the step is done.</summary>
    /// <returns>Null when the next execution waits instead.</returns>
    private async Task<GateStatus?> AskToDoAsync(Phase phase, string step, bool undoes)
    {
        var began = _checkpoint?.Began ?? Now;
        var wake = NextWake();
        var request = new OpenGateRequest(_id, phase, _round, [], Unclear: false, Difference: null, wake) { Step = step, Undoes = undoes };
        var gate = await _context.CallActivityAsync<GateStatus>(OpenGate.Name, request, s_persistent);

        // Undoing has no stage from which a new execution could go on; its time is bounded.
        return await WaitForAnswerAsync(gate, wake, runs: null, undoes ? null : () => ContinueAsNew(At(StageOf(phase), began, _round)));
    }

    /// <param name="runs">The phase that runs at once after a yes; null for work by hand.</param>
    /// <param name="goOn">Lets the next execution wait; null where it cannot.</param>
    /// <returns>Null when the next execution waits instead.</returns>
    private async Task<GateStatus?> WaitForAnswerAsync(GateStatus gate, string wake, Phase? runs, Action? goOn)
    {
        while (gate.Outcome == GateOutcome.Pending)
        {
            Show(IncidentState.AwaitingApproval, gate.GateId);
            await WaitUntilAsync(gate.NextReview, wake);
            if (goOn is not null && HasWaitedTooOften())
            {
                goOn();
                return null;
            }

            // An event proves nothing. What counts is the decision in the store.
            Show(IncidentState.AwaitingApproval, $"{gate.GateId}, reading the answer and acting on it");
            wake = NextWake();
            gate = await ReviewAsync(gate.GateId, wake, runs);
        }

        return gate;
    }

    private async Task<GateStatus> ReviewAsync(string gate, string wake, Phase? runs)
    {
        try
        {
            return await _context.CallActivityAsync<GateStatus>(
                ReviewGate.Name, new ReviewGateRequest(_id, gate, wake) { Runs = runs }, s_patient);
        }
        catch (TaskFailedException)
        {
            // Whatever failed, a step may have run.
            _acted |= runs is not null;
            throw;
        }
    }

    /// <summary>The round whose gate an earlier execution left open.</summary>
    private int? OpenRound(Phase phase) => _checkpoint?.Stage == StageOf(phase) ? _checkpoint.Round : null;

    private static Stage StageOf(Phase phase) => phase == Phase.Mitigation ? Stage.Mitigation : Stage.Resolution;

    private async Task<(Ending? Ending, string? PlanChanged)> RunStepsAsync(Phase phase, string gateId, PhaseResult? ran)
    {
        Show(phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving);
        _acted = true;
        var pauses = new StepPauses(_runbook.StepsOf(phase));
        var came = ran ?? await RunOnAsync(phase, gateId);
        while (came.Step is { } step)
        {
            switch (came.Result.End)
            {
                case StepOutcome.PlanChanged:
                    return (null, came.Result.Message);
                case StepOutcome.AwaitsPerson:
                    if (await AskToDoAsync(phase, step, undoes: false) is not { } answer)
                    {
                        return (Ending.InNextExecution, null);
                    }

                    // The answer is recorded first. A question that closed without an answer ends the incident.
                    came = await RunOnAsync(phase, gateId);
                    if (answer.Outcome is not (GateOutcome.Approved or GateOutcome.Rejected))
                    {
                        return (Ending.Of(answer), null);
                    }

                    continue;

                // A window ends by itself: what was approved waits for that and does not fail.
                case StepOutcome.Held when came.Result.Until > Now:
                    var untilEnd = Shorter(came.Result.Until.Value - Now, StepPauses.Longest);
                    await _context.CreateTimer(Longer(untilEnd, TimeSpan.FromSeconds(1)), CancellationToken.None);
                    if (HasWaitedTooOften())
                    {
                        return (ContinueAsNew(At(StageOf(phase), _checkpoint?.Began ?? Now, _round)), null);
                    }

                    break;

                // The time of one activity was up.
                case StepOutcome.Done:
                    break;
                default:
                    if (pauses.Next(step, came.Result.End) is not { } pause)
                    {
                        return (Ending.Of(step, came.Result), null);
                    }

                    // Each attempt checks the approval again.
                    await _context.CreateTimer(pause, CancellationToken.None);
                    break;
            }

            came = await RunOnAsync(phase, gateId);
        }

        return (null, null);
    }

    private Task<PhaseResult> RunOnAsync(Phase phase, string gateId) =>
        _context.CallActivityAsync<PhaseResult>(RunSteps.Name, new RunStepsRequest(_id, phase, gateId), s_patient);
}

internal sealed class StepPauses(IReadOnlyList<StepOutline> steps)
{
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Beyond the attempts in the runbook, for what a step needs before it acts: the network, somebody's API.</summary>
    private const int MoreAttempts = 8;

    /// <summary>A guardrail that refuses for longer than this is a matter for people.</summary>
    private static readonly TimeSpan s_holdPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestHold = TimeSpan.FromMinutes(30);

    /// <summary>Other steps go first: it waits longer for that, and looks less and less often.</summary>
    private static readonly TimeSpan s_firstQueuePause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_longestQueuePause = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_longestQueue = TimeSpan.FromHours(4);

    private string? _step;
    private int _failed;
    private TimeSpan _held;
    private TimeSpan _queued;
    private TimeSpan _queuePause;
    private TimeSpan _pause;

    /// <returns>Null when the step gets no further attempt.</returns>
    public TimeSpan? Next(string step, StepOutcome end)
    {
        var retry = steps.First(outline => outline.Name == step).Retry;
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
