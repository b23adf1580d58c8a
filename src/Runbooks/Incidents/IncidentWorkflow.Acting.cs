using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Engine;
using Runbooks.Incidents.Activities;
using Runbooks.Steps;

namespace Runbooks.Incidents;

/// <content>Asking people, and running what they approved.</content>
public sealed partial class IncidentWorkflow
{
    /// <summary>Asks, then acts. A plan that no longer holds when it is about to run is asked about again.</summary>
    private async Task<Ending?> ActAsync(Phase phase, IReadOnlyList<Finding> findings, bool unclear)
    {
        string? difference = null;
        for (var round = 1; round <= MaxRounds; round++)
        {
            var gate = await AskPeopleAsync(phase, round, round == 1 ? findings : [], unclear, difference);
            if (gate.Outcome != GateOutcome.Approved)
            {
                return Ending.Of(gate);
            }

            _gate = gate.GateId;
            var (ending, changed) = await RunStepsAsync(phase, gate.GateId);
            if (changed is null)
            {
                return ending;
            }

            difference = changed;
        }

        return new(IncidentState.Failed, $"The plan changed {MaxRounds} times before it could run; last: {difference}", Undo: true);
    }

    private async Task<GateView> AskPeopleAsync(Phase phase, int round, IReadOnlyList<Finding> findings, bool unclear, string? difference)
    {
        var wake = NextWake();
        var gate = await _context.CallActivityAsync(
            IncidentActivities.OpenGate, new GateRequest(_id, phase, round, findings, unclear, difference, wake), Persistent);

        while (gate.Outcome == GateOutcome.Pending)
        {
            Show(IncidentState.AwaitingApproval, gate.GateId);
            await WaitUntilAsync(gate.NextLook, wake);

            // The event, if one came, proves nothing. What counts is what the store says was decided.
            wake = NextWake();
            gate = await _context.CallActivityAsync(IncidentActivities.ReviewGate, new GateReview(_id, gate.GateId, wake), Persistent);
        }

        return gate;
    }

    private async Task<(Ending? Ending, string? PlanChanged)> RunStepsAsync(Phase phase, string gateId)
    {
        Show(phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving);
        _acted = true;
        foreach (var step in _runbook.StepsOf(phase))
        {
            var report = await RunStepAsync(phase, step, gateId);
            if (report.End == StepEnd.PlanChanged)
            {
                return (null, report.Message);
            }

            if (report.End != StepEnd.Done)
            {
                return (Ending.Of(step, report), null);
            }
        }

        return (null, null);
    }

    private async Task<StepReport> RunStepAsync(Phase phase, StepSpec step, string gateId)
    {
        var retry = new RetryPolicy(step.Retry.Attempts + Persistent.MaxAttempts, step.Retry.Delay, Backoff: 2, MaxDelay: TimeSpan.FromMinutes(5));
        try
        {
            return await _context.CallActivityAsync(IncidentActivities.RunStep, new StepRequest(_id, phase, step.Name, gateId), retry);
        }
        catch (ActivityFailedException failure)
        {
            return new StepReport(StepEnd.Failed, failure.Failure);
        }
    }
}
