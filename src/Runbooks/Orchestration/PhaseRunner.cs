using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <summary>
/// Runs what was approved: the steps of a phase in their order, each on record before the next begins, as far as they may
/// run. What was recorded by an attempt that was cut off is not done again.
/// </summary>
public sealed class PhaseRunner(
    ApprovalGateReview review, CheckService checks, StepRunner steps, IIncidentStore store, PinnedRunbooks pinned, RestoredRecords restored, TimeProvider time)
{
    /// <summary>Reads what was decided. After a yes the phase runs at once.</summary>
    public async Task<GateStatus> ReviewAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await restored.EnsureCheckedAsync(cancellationToken);
        var gate = await review.ReviewAsync(request, cancellationToken);
        return gate.Outcome == GateOutcome.Approved && request.Runs is { } phase
            ? gate with { Ran = await RunAsync(await store.GetCachedAsync(request.IncidentId, cancellationToken), phase, request.GateId, began, cancellationToken) }
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
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        foreach (var (place, step) in runbook.StepsOf(phase).Index())
        {
            if (place > 0)
            {
                if (time.GetElapsedTime(began) >= StepUndoer.Budget)
                {
                    return new(step.Name, new StepResult(StepOutcome.Done, "The next activity goes on."));
                }

                // The step before it has just been recorded.
                incident = await store.GetCachedAsync(incident.Id, cancellationToken);
            }

            if (await IsOverAsync(incident, runbook, phase, step, gateId, cancellationToken) is { } over)
            {
                return new(step.Name, new StepResult(StepOutcome.PlanChanged, over));
            }

            var result = await steps.RunAsync(incident, new StepRequest(phase, step.Name, gateId), cancellationToken);
            if (result.End != StepOutcome.Done)
            {
                return new(step.Name, result);
            }
        }

        return PhaseResult.Done;
    }

    /// <summary>
    /// Whether the fault is over by now: what was approved may have waited for its turn, for a window or for the kill switch. It is over when
    /// both the sender and the checks say so; the sender's word alone is worth less than a person's yes. A step that has begun is finished
    /// all the same, and a step that a person was asked to do is answered by them. A runbook that only tells goes on telling.
    /// </summary>
    /// <returns>Null when it is not over.</returns>
    private async Task<string?> IsOverAsync(Incident incident, Runbook runbook, Phase phase, StepSpec step, string gateId, CancellationToken cancellationToken)
    {
        if (!incident.ClaimsRecovery || incident.FindStep(phase, step.Name) is not null || incident.FindTask(phase, step.Name) is not null
            || incident.FindGate(gateId) is not { Plan.TellsOnly: false } gate)
        {
            return null;
        }

        incident = await checks.CheckClaimAsync(incident, runbook, cancellationToken);
        return Incident.RecoveredBeforeActing(incident, time.GetUtcNow()) && (gate.Decisions.Count == 0 || incident.CheckedClaim is { Answer: RecoveryAnswer.Confirmed })
            ? Incident.RecoveryReason(incident)
            : null;
    }
}

public sealed record RunStepsRequest(string IncidentId, Phase Phase, string GateId);
