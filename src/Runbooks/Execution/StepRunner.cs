using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

/// <summary>
/// Everything that was promised about a step is checked at the last moment; the intent is stored before it acts and the outcome after.
/// Safe to be called again at any point.
/// </summary>
public sealed partial class StepRunner(
    IIncidentStore store,
    PinnedRunbooks pinned,
    StepCatalog catalog,
    StepContextFactory contexts,
    StepGuard guard,
    ActionConcurrencyLimiter limiter,
    LostAttempts lost,
    TimeProvider time,
    ILogger<StepRunner> logger)
{
    /// <summary>For storing intent and outcome.</summary>
    internal static readonly TimeSpan SlotGrace = TimeSpan.FromMinutes(1);

    /// <summary>The longest pause of the workflow between two tries of a step.</summary>
    private static readonly TimeSpan s_nextTry = TimeSpan.FromMinutes(5);

    private static readonly ActionResult s_cutOff = new(
        "An attempt was cut off. It cannot be repeated safely, so a person has to look whether it happened.");

    /// <summary>How long a host that stops waits for an action that cannot be repeated.</summary>
    private static readonly TimeSpan s_stopGrace = TimeSpan.FromSeconds(10);

    public async Task<StepResult> RunAsync(Incident incident, StepRequest request, CancellationToken cancellationToken)
    {
        var begun = incident.FindStep(request.Phase, request.Step);
        if (begun is { FinishedAt: not null })
        {
            return ResultOf(begun);
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var spec = runbook.FindStep(request.Phase, request.Step)
            ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no step '{request.Step}'.");
        if (catalog.FindAction(spec.Do) is not { } action)
        {
            return new(StepOutcome.Refused, $"this host has no action '{spec.Do}'.");
        }

        if (action.IsManual && incident.FindTask(request.Phase, spec.Name) is { } asked)
        {
            return await AnswerAsync(incident, request, spec, asked, cancellationToken);
        }

        if (begun is not null && !action.Repeatable)
        {
            return await lost.AwaitAsync(incident, spec, begun, cancellationToken)
                ?? await FinishAsync(incident, request, StepStatus.Unknown, s_cutOff, cancellationToken, cutOff: true);
        }

        if (Uncovered(incident, request) is { } uncovered)
        {
            return uncovered;
        }

        var key = StepRecord.KeyOf(incident.Id, request.Phase, spec.Name);
        var context = contexts.For(incident, key, begun?.Preparation) with { Samples = runbook.Samples };
        return await TryAsync(new StepAttempt(incident, request, spec, action, begun, context), runbook, cancellationToken);
    }

    /// <summary>Work by hand has happened, or not, whatever forbids it by now: it is only recorded.</summary>
    private async Task<StepResult> AnswerAsync(
        Incident incident, StepRequest request, StepSpec spec, Gate asked, CancellationToken cancellationToken)
    {
        switch (asked.Outcome)
        {
            case GateOutcome.Pending:
                return new(StepOutcome.AwaitsPerson, asked.Question);
            case GateOutcome.SelfRecovered:
                return new(StepOutcome.Failed, "It was needed no longer.");
            default:
                var recorded = await store.RecordAsync(incident.Id, Record, time, cancellationToken);
                return ResultOf(recorded.FindStep(request.Phase, request.Step)!);
        }

        Incident Record(Incident i) => i.FindStep(request.Phase, request.Step) is null
            ? i.RecordManualStep(spec, request.GateId, asked, time.GetUtcNow())
            : i;
    }

    /// <returns>Null when a recorded yes covers the step.</returns>
    private static StepResult? Uncovered(Incident incident, StepRequest request)
    {
        if (incident.Stop is { } stop)
        {
            return new(StepOutcome.Stopped, stop.Text) { TakesBack = stop.UndoesFix };
        }

        if (incident.FindGate(request.GateId) is not { Outcome: GateOutcome.Approved } gate || Planned(gate, request) is null)
        {
            return new(StepOutcome.Refused, $"no approval on record covers this step (gate {request.GateId}).");
        }

        return incident.FindLapse(gate, request.Phase) is { } lapse ? new(StepOutcome.PlanChanged, lapse) : null;
    }

    private async Task<StepResult> TryAsync(StepAttempt attempt, Runbook runbook, CancellationToken cancellationToken)
    {
        try
        {
            return await PrepareAndActAsync(attempt, runbook, cancellationToken);
        }
        catch (StepRefusedException refused)
        {
            var why = attempt.Redact(refused.Message);
            if (!attempt.Acts && attempt.Known is null)
            {
                return new(StepOutcome.Refused, why);
            }

            return await FinishAsync(
                attempt.Incident,
                attempt.Request,
                StepStatus.Failed,
                new(why),
                cancellationToken,
                cutOff: refused is StepPausedException,
                nothingDone: attempt.DidNothing(refused));
        }
        catch (AttemptFailedException nothing) when (attempt.LeftNothing(nothing))
        {
            return await ForgetAsync(attempt, nothing, cancellationToken);
        }
        catch (Exception failure) when (attempt.FailedWith(failure, hostStops: cancellationToken.IsCancellationRequested))
        {
            return await FailAsync(attempt, failure, cancellationToken);
        }
        catch (OperationCanceledException) when (attempt is { IsOver: false, CannotBeRepeated: true })
        {
            // The host stops: nobody has to wait until the time of the attempt is over.
            await FinishAsync(attempt.Incident, attempt.Request, StepStatus.Unknown, s_cutOff, cancellationToken, cutOff: true);
            throw;
        }
    }

    private async Task<StepResult> PrepareAndActAsync(StepAttempt attempt, Runbook runbook, CancellationToken cancellationToken)
    {
        var (action, context, timeout) = (attempt.Action, attempt.Context, attempt.Spec.LookTimeout);
        if (attempt.Binding.Parameters is not { } parameters)
        {
            throw new StepRefusedException(attempt.Binding.Problem ?? "its parameters need outputs that no step gave.");
        }

        var prepared = await Deadline.WithinAsync(
            timeout, time, token => action.PrepareAsync(parameters, context, token), cancellationToken);
        var preparation = attempt.Binding.Clean(prepared) with { TellsOnly = action.TellsOnly };
        if (await FindHindranceAsync(attempt, runbook, preparation, cancellationToken) is { } hindrance)
        {
            return hindrance;
        }

        if (attempt.Incident.Mode == RunMode.DryRun)
        {
            var missing = await Deadline.WithinAsync(
                timeout, time, token => action.CheckPermissionsAsync(parameters, context, token), cancellationToken);
            return missing is null
                ? await RehearseAsync(attempt, preparation, cancellationToken)
                : throw new StepRefusedException(missing);
        }

        return action.IsManual
            ? new(StepOutcome.AwaitsPerson, preparation.PlannedEffect)
            : await ActAsync(attempt, parameters, preparation, cancellationToken);
    }

    /// <returns>Null where nothing keeps it from running as approved.</returns>
    private async Task<StepResult?> FindHindranceAsync(
        StepAttempt attempt, Runbook runbook, Preparation preparation, CancellationToken cancellationToken)
    {
        var (gate, shown) = (attempt.Gate!, attempt.Binding.Shown);
        var planned = Planned(gate, attempt.Request)!;
        if (attempt.Known is null && PlanHash.Difference(planned, shown, preparation) is { } difference)
        {
            return new(StepOutcome.PlanChanged, attempt.Redact(difference));
        }

        // The effects may have been unknown when the question was asked.
        if (attempt.Known is null && gate.SilenceIsYes)
        {
            var effect = planned with { Undo = preparation.Undo, UndoneByHand = preparation.UndoneByHand };
            if (attempt.Action.AlwaysAsks(shown) || !effect.IsTakenBack)
            {
                return new(
                    StepOutcome.PlanChanged,
                    $"Nobody has said yes, and what step '{attempt.Spec.Name}' changes would not be taken back by this program.");
            }
        }

        if (preparation.Refusal is { } refusal)
        {
            throw new StepRefusedException(refusal);
        }

        return await guard.CheckAsync(attempt.Incident, runbook, gate, attempt.Request.Phase, cancellationToken) is { } violation
            ? await RecordNotRunAsync(attempt, violation, cancellationToken)
            : null;
    }

    private async Task<StepResult> ActAsync(
        StepAttempt attempt, object parameters, Preparation preparation, CancellationToken cancellationToken)
    {
        var (spec, action, context) = (attempt.Spec, attempt.Action, attempt.Context);
        if (!await limiter.TakeAsync(action.Name, context.IdempotencyKey, spec.Timeout + SlotGrace, cancellationToken))
        {
            var busy = new StepResult(StepOutcome.Waiting, $"as many {action.Name} steps are running as may run at once.");
            return await RecordNotRunAsync(attempt, busy, cancellationToken);
        }

        try
        {
            var (begun, refused) = await store.UpdateAsync(attempt.Incident.Id, i => Begin(i, attempt, preparation), cancellationToken);
            if (refused is not null)
            {
                return refused;
            }

            attempt.Acts = true;
            var result = await Deadline.WithinAsync(
                spec.Timeout,
                action.Repeatable ? TimeSpan.Zero : s_stopGrace,
                time,
                token => action.ApplyAsync(parameters, preparation, context, token),
                context.Progress,
                cancellationToken);
            var done = attempt.Clean(result);
            attempt.IsOver = true;
            return await FinishAsync(begun, attempt.Request, StepStatus.Done, done, cancellationToken);
        }
        finally
        {
            await limiter.FreeAsync(action.Name, context.IdempotencyKey);
        }
    }

    /// <summary>
    /// The intent is also the claim to act. An engine may run the same attempt twice, and one that was cut off may go on when the incident
    /// has long continued. So an attempt may act only if the record is still as it saw it.
    /// </summary>
    private (Incident, StepResult?) Begin(Incident incident, StepAttempt attempt, Preparation preparation)
    {
        var (request, current) = (attempt.Request, incident.FindStep(attempt.Request.Phase, attempt.Request.Step));
        if (Uncovered(incident, request) is { } uncovered)
        {
            return (incident, uncovered);
        }

        if (incident.State.IsFinal() || (request.Phase == Phase.Mitigation && incident.UndoBeganAt is not null))
        {
            return (incident, new(StepOutcome.Refused, "the incident has gone on without this attempt."));
        }

        return current?.Attempts == attempt.Known?.Attempts && current?.FinishedAt is null
            ? (incident.BeginStep(attempt.Spec, request.Phase, request.GateId, preparation, time.GetUtcNow()), null)
            : (incident, new(StepOutcome.AttemptFailed, "another attempt of this step has begun."));
    }

    private static PlannedStep? Planned(Gate gate, StepRequest request) =>
        gate.Plan.Steps.FirstOrDefault(step => step.Phase == request.Phase && step.Name == request.Step);
}

public sealed record StepRequest(Phase Phase, string Step, string GateId);
