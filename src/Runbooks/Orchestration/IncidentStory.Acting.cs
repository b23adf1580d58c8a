using Microsoft.DurableTask;
using Runbooks.Approvals;
using Runbooks.Engine;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Orchestration;

/// <content>Asking people, and running what they approved.</content>
internal sealed partial class IncidentStory
{
    /// <summary>A plan that changes this often under people's eyes is not worth asking about again.</summary>
    private const int MaxRounds = 5;

    private static readonly TimeSpan LongestStepPause = TimeSpan.FromMinutes(5);

    /// <summary>What was approved and may not run at the moment is tried this often.</summary>
    private static readonly TimeSpan s_holdPause = TimeSpan.FromMinutes(1);

    /// <summary>A guard that stays closed for longer is a matter for people.</summary>
    private static readonly TimeSpan s_longestHold = TimeSpan.FromMinutes(30);

    /// <summary>Others have their turn first: it waits longer for that, and looks less and less often.</summary>
    private static readonly TimeSpan s_longestQueue = TimeSpan.FromHours(4);
    private static readonly TimeSpan s_firstQueuePause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_longestQueuePause = TimeSpan.FromMinutes(2);

    private IReadOnlyList<Finding> _findings = [];
    private Conclusion _conclusion;

    private async Task<Ending?> MitigateAsync() => IsPast(Stage.Mitigation)
        ? null
        : await ActAsync(Phase.Mitigation, _findings, unclear: _conclusion == Conclusion.Unclear);

    /// <summary>Asks, then acts. A plan that no longer holds when it is about to run is asked about again.</summary>
    /// <param name="difference">Why what was approved before does not cover it; null when nothing was.</param>
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
            var (ending, changed) = await RunStepsAsync(phase, gate.GateId);
            if (changed is null)
            {
                return ending;
            }

            difference = changed;
        }

        return new(IncidentState.Failed, $"The plan changed {MaxRounds} times before it could run; last: {difference}", Undo: true);
    }

    /// <returns>Null when the next execution goes on asking.</returns>
    private async Task<GateStatus?> AskPeopleAsync(Phase phase, int round, IReadOnlyList<Finding> findings, bool unclear, string? difference)
    {
        var began = _checkpoint?.Began ?? Now;
        var wake = NextWake();
        var gate = OpenRound(phase) == round
            ? await ReviewAsync(_gate, wake)
            : await _context.CallActivityAsync<GateStatus>(
                OpenGate.Name, new OpenGateRequest(_id, phase, round, findings, unclear, difference, wake), Persistent);

        return await WaitForAnswerAsync(gate, wake, () =>
        {
            _gate = gate.GateId;
            ContinueAsNew(At(StageOf(phase), began, round));
        });
    }

    /// <summary>Asks a person to do a step by hand, or to take it back: a question like any other, whose yes says that it is done.</summary>
    /// <returns>Null when the next execution goes on waiting.</returns>
    private async Task<GateStatus?> AskToDoAsync(Phase phase, string step, bool undoes)
    {
        var began = _checkpoint?.Began ?? Now;
        var wake = NextWake();
        var request = new OpenGateRequest(_id, phase, _round, [], Unclear: false, Difference: null, wake) { Step = step, Undoes = undoes };
        var gate = await _context.CallActivityAsync<GateStatus>(OpenGate.Name, request, Persistent);

        // What is being taken back has no stage to go on from; its time is bounded, and so is its history.
        return await WaitForAnswerAsync(gate, wake, undoes ? null : () => ContinueAsNew(At(StageOf(phase), began, _round)));
    }

    /// <param name="goOn">Has the next execution wait when this one has waited often; null where it cannot.</param>
    /// <returns>Null when it does.</returns>
    private async Task<GateStatus?> WaitForAnswerAsync(GateStatus gate, string wake, Action? goOn)
    {
        while (gate.Outcome == GateOutcome.Pending)
        {
            Show(IncidentState.AwaitingApproval, gate.GateId);
            await WaitUntilAsync(gate.NextReview, wake);
            if (goOn is not null && IsLong)
            {
                goOn();
                return null;
            }

            // The event, if one came, proves nothing. What counts is what the store says was decided.
            wake = NextWake();
            gate = await ReviewAsync(gate.GateId, wake);
        }

        return gate;
    }

    private Task<GateStatus> ReviewAsync(string gate, string wake) =>
        _context.CallActivityAsync<GateStatus>(ReviewGate.Name, new ReviewGateRequest(_id, gate, wake), Persistent);

    /// <summary>The round whose gate an earlier execution left open; null when this execution asks for the first time.</summary>
    private int? OpenRound(Phase phase) => _checkpoint?.Stage == StageOf(phase) ? _checkpoint.Round : null;

    private static Stage StageOf(Phase phase) => phase == Phase.Mitigation ? Stage.Mitigation : Stage.Resolution;

    private async Task<(Ending? Ending, string? PlanChanged)> RunStepsAsync(Phase phase, string gateId)
    {
        Show(phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving);
        _acted = true;
        foreach (var step in _runbook.StepsOf(phase))
        {
            var report = await RunWhenAllowedAsync(phase, step, gateId);
            if (report.End == StepOutcome.AwaitsPerson)
            {
                if (await AskToDoAsync(phase, step.Name, undoes: false) is not { } answer)
                {
                    return (Ending.InNextExecution, null);
                }

                // Now that it is known, it goes on record. Whatever closed the question beside an answer to it ends the incident as it ends any other.
                report = await RunStepAsync(phase, step, gateId);
                if (answer.Outcome is not (GateOutcome.Approved or GateOutcome.Rejected))
                {
                    return (Ending.Of(answer), null);
                }
            }

            if (report.End == StepOutcome.PlanChanged)
            {
                return (null, report.Message);
            }

            if (report.End != StepOutcome.Done)
            {
                return (Ending.Of(step.Name, report), null);
            }
        }

        return (null, null);
    }

    /// <summary>What may not run at the moment waits. Its approval is looked at anew each time, so that it does not act on an old one.</summary>
    private async Task<StepResult> RunWhenAllowedAsync(Phase phase, StepOutline step, string gateId)
    {
        var report = await RunStepAsync(phase, step, gateId);
        var (held, queued, queuePause) = (TimeSpan.Zero, TimeSpan.Zero, s_firstQueuePause);
        while ((report.End == StepOutcome.Held && held < s_longestHold) || (report.End == StepOutcome.Waiting && queued < s_longestQueue))
        {
            if (report.End == StepOutcome.Held)
            {
                await _context.CreateTimer(s_holdPause, CancellationToken.None);
                held += s_holdPause;
            }
            else
            {
                await _context.CreateTimer(queuePause, CancellationToken.None);
                queued += queuePause;
                queuePause = Shorter(queuePause * 2, s_longestQueuePause);
            }

            report = await RunStepAsync(phase, step, gateId);
        }

        return report;
    }

    private async Task<StepResult> RunStepAsync(Phase phase, StepOutline step, string gateId)
    {
        try
        {
            return await _context.CallActivityAsync<StepResult>(
                RunStep.Name,
                new StepRequest(_id, phase, step.Name, gateId),
                Retry(step.Retry.Attempts + PersistentAttempts, step.Retry.Delay, LongestStepPause));
        }
        catch (TaskFailedException failure)
        {
            return new StepResult(StepOutcome.Failed, failure.FailureDetails.ErrorMessage);
        }
    }
}
