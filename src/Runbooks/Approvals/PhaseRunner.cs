using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Approvals;

/// <summary>
/// Runs what was approved: the steps of a phase in their order, each on record before the next begins, as far as they may
/// run. What was recorded by an attempt that was cut off is not done again.
/// </summary>
public sealed class PhaseRunner(
    ApprovalGateService gates, StepRunner steps, IIncidentStore store, PinnedRunbooks runbooks, RestoredRecords restored, TimeProvider time)
{
    /// <summary>After this long the next step is for the next activity: a host may end one that takes too long.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(10);

    /// <summary>Reads what was decided. After a yes the phase runs at once.</summary>
    public async Task<GateStatus> ReviewAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await restored.EnsureCheckedAsync(cancellationToken);
        var gate = await gates.ReviewAsync(request, cancellationToken);
        return gate.Outcome == GateOutcome.Approved && request.Runs is { } phase
            ? gate with { Ran = await RunAsync(await store.GetSeenAsync(request.IncidentId, cancellationToken), phase, request.GateId, began, cancellationToken) }
            : gate;
    }

    public async Task<PhaseResult> RunAsync(RunStepsRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await restored.EnsureCheckedAsync(cancellationToken);
        return await RunAsync(await store.GetAsync(request.IncidentId, cancellationToken), request.Phase, request.GateId, began, cancellationToken);
    }

    private async Task<PhaseResult> RunAsync(Incident incident, Phase phase, string gateId, long began, CancellationToken cancellationToken)
    {
        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        foreach (var step in runbook.StepsOf(phase))
        {
            if (step != runbook.StepsOf(phase)[0])
            {
                if (time.GetElapsedTime(began) >= Budget)
                {
                    return new(step.Name, new StepResult(StepOutcome.Done, "The next activity goes on."));
                }

                // The step before it has just been recorded.
                incident = await store.GetSeenAsync(incident.Id, cancellationToken);
            }

            var result = await TryAsync(incident, new StepRequest(phase, step.Name, gateId), cancellationToken);
            if (result.End != StepOutcome.Done)
            {
                return new(step.Name, result);
            }
        }

        return PhaseResult.Done;
    }

    private async Task<StepResult> TryAsync(Incident incident, StepRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await steps.RunAsync(incident, request, cancellationToken);
        }
        catch (StepAttemptFailedException failure)
        {
            return new(StepOutcome.AttemptFailed, failure.Message);
        }
    }
}

public sealed record RunStepsRequest(string IncidentId, Phase Phase, string GateId);

/// <summary>How far a phase came.</summary>
/// <param name="Step">The step that it has come to; null when all are done.</param>
/// <param name="Result">Why it went no further; done where its time was up before that step.</param>
public sealed record PhaseResult(string? Step, StepResult Result)
{
    public static readonly PhaseResult Done = new(null, new StepResult(StepOutcome.Done, ""));
}
