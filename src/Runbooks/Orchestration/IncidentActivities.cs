using Microsoft.DurableTask;
using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <summary>Runs at least once. History keeps what it throws, so only a redacted message leaves it.</summary>
public abstract class IncidentActivity<TInput, TOutput>(
    ActivityShutdown shutdown, ILogger logger, Func<TInput, CancellationToken, Task<TOutput>> call) : TaskActivity<TInput, TOutput>
{
    public sealed override Task<TOutput> RunAsync(TaskActivityContext context, TInput input) => RunAsync(input, shutdown.Token);

    /// <exception cref="ActivityFailedException">The service threw.</exception>
    public async Task<TOutput> RunAsync(TInput input, CancellationToken cancellationToken)
    {
        try
        {
            return await call(input, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.ActivityFailed(logger, GetType().Name, Redactor.Redact(failure));
            throw new ActivityFailedException(CleanText.Said(failure.Message));
        }
    }
}

/// <summary>Carries text only: history never has an exception object.</summary>
public sealed class ActivityFailedException(string message) : Exception(message);

public sealed class CheckSuppression(SuppressionService suppression, ActivityShutdown shutdown, ILogger<CheckSuppression> logger)
    : IncidentActivity<SuppressionRequest, SuppressionResult>(shutdown, logger, suppression.CheckAsync)
{
    public static readonly TaskName Name = nameof(CheckSuppression);
}

public sealed class OpenGate(ApprovalGateService gates, ActivityShutdown shutdown, ILogger<OpenGate> logger)
    : IncidentActivity<OpenGateRequest, GateStatus>(shutdown, logger, gates.OpenAsync)
{
    public static readonly TaskName Name = nameof(OpenGate);
}

public sealed class ReviewGate(PhaseRunner phases, ActivityShutdown shutdown, ILogger<ReviewGate> logger)
    : IncidentActivity<ReviewGateRequest, GateStatus>(shutdown, logger, phases.ReviewAsync)
{
    public static readonly TaskName Name = nameof(ReviewGate);
}

public sealed class RunSteps(PhaseRunner phases, ActivityShutdown shutdown, ILogger<RunSteps> logger)
    : IncidentActivity<RunStepsRequest, PhaseResult>(shutdown, logger, phases.RunAsync)
{
    public static readonly TaskName Name = nameof(RunSteps);
}

/// <summary>In the settle window it also pages about something worse that the checks do not confirm.</summary>
public sealed class Recheck(CheckService checks, IncidentPager pager, ActivityShutdown shutdown, ILogger<Recheck> logger)
    : IncidentActivity<RecheckRequest, RecheckResult>(
    shutdown,
    logger,
    async (input, cancellationToken) =>
    {
        var result = await checks.RecheckAsync(input, cancellationToken);
        await (input.State == IncidentState.Resolved
            ? pager.PageWorseAsync(input.IncidentId, cancellationToken)
            : Task.CompletedTask);
        return result;
    })
{
    public static readonly TaskName Name = nameof(Recheck);
}

public sealed class UndoSteps(StepUndoer undoer, IncidentPager pager, ActivityShutdown shutdown, ILogger<UndoSteps> logger)
    : IncidentActivity<UndoRequest, UndoResult>(
    shutdown,
    logger,
    async (input, cancellationToken) =>
    {
        var result = await undoer.UndoAsync(input, cancellationToken);
        if (result.Page is { } page)
        {
            await pager.RequestPageAsync(new(input.IncidentId, page.Trouble, page.Message), cancellationToken);
        }

        return result;
    })
{
    public static readonly TaskName Name = nameof(UndoSteps);
}

public sealed class PagePerson(IncidentPager pager, ActivityShutdown shutdown, ILogger<PagePerson> logger)
    : IncidentActivity<PageRequest, bool>(shutdown, logger, pager.RequestPageAsync)
{
    public static readonly TaskName Name = nameof(PagePerson);
}

public sealed class EndIncident(IncidentCloser closer, ActivityShutdown shutdown, ILogger<EndIncident> logger)
    : IncidentActivity<CloseRequest, IncidentState>(shutdown, logger, closer.CloseAsync)
{
    public static readonly TaskName Name = nameof(EndIncident);
}

/// <summary>An activity that gives up when the host stops runs again after the next start.</summary>
public sealed class ActivityShutdown : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Cancelled when the host begins to stop. Durable Task itself gives activities no token.</summary>
    public CancellationToken Token => _stopping.Token;

    internal BusyCount Running { get; } = new();

    public void Dispose() => _stopping.Dispose();

    // Callbacks on the token run elsewhere: no activity may delay the stop.
    internal void Stop() => _ = _stopping.CancelAsync();
}

public sealed class Diagnose(DiagnosisService diagnosis, ActivityShutdown shutdown, ILogger<Diagnose> logger)
    : IncidentActivity<DiagnosisRequest, DiagnosisResult>(shutdown, logger, diagnosis.RunAsync)
{
    public static readonly TaskName Name = nameof(Diagnose);
}

/// <summary>Asks the checks. Where they call for the mitigation it opens the first gate too.</summary>
public sealed class DiagnosisService(
    IIncidentStore store, PinnedRunbooks pinned, CheckRunner checks, ApprovalGateService gates, TimeProvider time)
{
    public async Task<DiagnosisResult> RunAsync(DiagnosisRequest input, CancellationToken cancellationToken)
    {
        var incident = await store.GetCachedAsync(input.IncidentId, cancellationToken);
        var runbook = await pinned.OfAsync(incident, cancellationToken);

        // An attempt that was cut off may have asked people already: then the findings that they saw count.
        var (when, healthyFor, isOver) = (runbook.Mitigation.When, runbook.Limits.HealthyFor, incident.AlertResolvedAt is not null);
        var findings = IsAsked(incident)
            ? incident.Findings
            : await checks.AskAllAsync(incident, runbook.Diagnosis, cancellationToken);
        var conclusion = Diagnosis.Conclude(when, findings, isOver);
        DateTimeOffset? measured = null;
        if (conclusion == Conclusion.Healthy && healthyFor > TimeSpan.Zero && !incident.IsOnlyAsked)
        {
            findings = incident.WithoutStandstill(when, findings, healthyFor, time.GetUtcNow());
            conclusion = Diagnosis.Conclude(when, findings, isOver);
            measured = Diagnosis.MeasuredUntil(when, findings);
        }

        var answer = new DiagnosisResult(conclusion, findings)
        {
            MeasuredAt = measured,
            FiringSince = measured is null ? null : incident.FiringSince(time.GetUtcNow()),
        };
        if (input.WakeEvent is not { } wake)
        {
            return answer;
        }

        return conclusion == Conclusion.Healthy && !IsAsked(await store.GetAsync(incident.Id, cancellationToken))
            ? answer
            : new(conclusion, [])
            {
                Gate = await gates.OpenAsync(
                    new OpenGateRequest(
                        incident.Id, Phase.Mitigation, 1, findings, conclusion == Conclusion.Unclear, Difference: null, wake),
                    await store.GetCachedAsync(incident.Id, cancellationToken),
                    cancellationToken),
            };
    }

    private static bool IsAsked(Incident incident) => incident.FindGate(Gate.IdOf(Phase.Mitigation, 1)) is not null;
}

/// <param name="WakeEvent">Null where people are not to be asked yet.</param>
public sealed record DiagnosisRequest(string IncidentId, string? WakeEvent);

/// <param name="Findings">Those that are not on record yet.</param>
public sealed record DiagnosisResult(Conclusion Conclusion, IReadOnlyList<Finding> Findings)
{
    public GateStatus? Gate { get; init; }

    /// <summary>For a healthy conclusion, the end of the time that was measured. Null means the moment of asking.</summary>
    public DateTimeOffset? MeasuredAt { get; init; }

    /// <summary>When the alert began; null where <see cref="MeasuredAt"/> is.</summary>
    public DateTimeOffset? FiringSince { get; init; }
}

/// <summary>
/// Runs the steps of a phase in order, each on record before the next begins, until one may not run. What an attempt that was cut off
/// has recorded is not done again.
/// </summary>
public sealed class PhaseRunner(
    ApprovalGateReview review,
    CheckService checks,
    StepRunner steps,
    IIncidentStore store,
    PinnedRunbooks pinned,
    RestoredRecords restored,
    TimeProvider time)
{
    public async Task<GateStatus> ReviewAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await restored.EnsureCheckedAsync(cancellationToken);
        var gate = await review.ReviewAsync(request, cancellationToken);
        if (gate.Outcome != GateOutcome.Approved || request.Runs is not { } phase)
        {
            return gate;
        }

        var incident = await store.GetCachedAsync(request.IncidentId, cancellationToken);
        return gate with { Ran = await RunAsync(incident, phase, request.GateId, began, cancellationToken) };
    }

    public async Task<PhaseResult> RunAsync(RunStepsRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await restored.EnsureCheckedAsync(cancellationToken);
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        return await RunAsync(incident, request.Phase, request.GateId, began, cancellationToken);
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
    /// The fault may be over by now, since what was approved may have waited. It is over when both the sender and the checks say so: the
    /// sender's word alone does not overrule a person's yes. A step that has begun is finished, a step that a person was asked to do is
    /// answered by them, and a plan that only sends messages still runs.
    /// </summary>
    private async Task<string?> IsOverAsync(
        Incident incident, Runbook runbook, Phase phase, StepSpec step, string gateId, CancellationToken cancellationToken)
    {
        var hasBegun = incident.FindStep(phase, step.Name) is not null || incident.FindTask(phase, step.Name) is not null;
        if (!incident.ClaimsRecovery || hasBegun || incident.FindGate(gateId) is not { Plan.TellsOnly: false } gate)
        {
            return null;
        }

        incident = await checks.CheckClaimAsync(incident, runbook, cancellationToken);
        var isBelieved = gate.Decisions.Count == 0 || incident.CheckedClaim is { Answer: RecoveryAnswer.Confirmed };
        return isBelieved && Incident.RecoveredBeforeActing(incident, time.GetUtcNow())
            ? Incident.RecoveryReason(incident)
            : null;
    }
}

public sealed record RunStepsRequest(string IncidentId, Phase Phase, string GateId);
