using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

/// <content>Puts on record what became of an attempt.</content>
public sealed partial class StepRunner
{
    private async Task<StepResult> RecordNotRunAsync(StepAttempt attempt, StepResult violation, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await store.UpdateAsync(attempt.Incident.Id, Record, cancellationToken);
        return violation;

        Incident Record(Incident i)
        {
            if (i.State.IsFinal())
            {
                return i;
            }

            if (violation.End is StepOutcome.Held or StepOutcome.Waiting)
            {
                var until = violation.Until ?? now + s_nextTry;
                return i.HoldStep(attempt.Spec.Name, attempt.Request.Phase, violation.Message, until, now);
            }

            var what = attempt.Known is null ? "did not run" : "was not tried again";
            return i.Note(now, TimelineKind.Safety, "runbook", $"{attempt.Spec.Name} {what}: {violation.Message}");
        }
    }

    private async Task<StepResult> FailAsync(StepAttempt attempt, Exception failure, CancellationToken cancellationToken)
    {
        var (made, why) = (attempt.Number, attempt.Redact(failure.Message));
        Log.StepFailed(logger, made, attempt.Spec.Name, attempt.Incident.Id, attempt.Redact(failure));
        if (attempt.CannotBeRepeated)
        {
            var brokeOff = new ActionResult(
                $"It broke off ({why}) and cannot be repeated safely, so a person has to look whether it happened.");
            return await FinishAsync(attempt.Incident, attempt.Request, StepStatus.Unknown, brokeOff, cancellationToken);
        }

        var nothingDone = attempt.DidNothing(failure);
        if (attempt.Acts && made >= attempt.Spec.Retry.Attempts)
        {
            var failed = new ActionResult($"failed {CountText.Format(made, "time")}; last: {why}");
            return await FinishAsync(
                attempt.Incident, attempt.Request, StepStatus.Failed, failed, cancellationToken, nothingDone: nothingDone);
        }

        var (phase, now) = (attempt.Request.Phase, time.GetUtcNow());
        await store.UpdateAsync(
            attempt.Incident.Id,
            i => i.State.IsFinal() ? i
                : attempt.Acts ? i.BreakOffStep(attempt.Spec, phase, made, why, nothingDone, now)
                : i.HoldStep(attempt.Spec.Name, phase, Again(why), now + s_nextTry, now),
            cancellationToken);
        return new(StepOutcome.AttemptFailed, why);
    }

    /// <summary>
    /// The attempt changed nothing, so it counts as not begun: the next one prepares again, and a step that cannot be repeated does not
    /// end as unknown. A step that waits for its turn has not failed either.
    /// </summary>
    private async Task<StepResult> ForgetAsync(StepAttempt attempt, AttemptFailedException nothing, CancellationToken cancellationToken)
    {
        var why = attempt.Redact(nothing.Message);
        var (phase, step, now) = (attempt.Request.Phase, attempt.Spec.Name, time.GetUtcNow());
        Log.StepFailed(logger, attempt.Number, step, attempt.Incident.Id, attempt.Redact(nothing));
        await store.RecordAsync(
            attempt.Incident.Id,
            i => i.State.IsFinal() ? i : Wait(attempt.Acts ? i.ForgetBegin(phase, step, attempt.Known) : i),
            time,
            cancellationToken);
        return new(nothing.IsBusy ? StepOutcome.Waiting : StepOutcome.AttemptFailed, why);

        Incident Wait(Incident i) => nothing.IsBusy
            ? i.AwaitTurn(step, phase, why, now + s_nextTry, now)
            : i.HoldStep(step, phase, Again(why), now + s_nextTry, now);
    }

    private static string Again(string why) => $"{EndingText.Sentence(why)} It is tried again.";

    private async Task<StepResult> RehearseAsync(StepAttempt attempt, Preparation preparation, CancellationToken cancellationToken)
    {
        var (incident, request, spec) = (attempt.Incident, attempt.Request, attempt.Spec);
        var now = time.GetUtcNow();
        var would = new ActionResult($"Dry run, nothing was touched. Would: {preparation.PlannedEffect}");

        // In one write: a crash that left an intent without an outcome would lead to an undo, and that touches something.
        var rehearsed = await store.UpdateAsync(
            incident.Id, i => Finish(i.BeginStep(spec, request.Phase, request.GateId, preparation, now)), cancellationToken);
        return ResultOf(rehearsed.FindStep(request.Phase, request.Step)!);

        Incident Finish(Incident begun) =>
            begun.FinishStep(begun.FindStep(request.Phase, request.Step)!, StepStatus.DryRun, would, now);
    }

    /// <param name="cutOff">The host stopped or crashed, or everything was paused.</param>
    /// <param name="nothingDone">No attempt changed anything.</param>
    private async Task<StepResult> FinishAsync(
        Incident incident,
        StepRequest request,
        StepStatus status,
        ActionResult result,
        CancellationToken cancellationToken,
        bool cutOff = false,
        bool nothingDone = false)
    {
        var finished = await store.RecordAsync(incident.Id, Finish, time, cancellationToken);
        return ResultOf(finished.FindStep(request.Phase, request.Step)!);

        Incident Finish(Incident i)
        {
            if (i.FindStep(request.Phase, request.Step) is not { } step)
            {
                return i;
            }

            var ended = step with { CutOff = cutOff || step.CutOff, NothingDone = nothingDone };
            return i.FinishStep(ended, status, result, time.GetUtcNow());
        }
    }

    private static StepResult ResultOf(StepRecord step) => new(
        step.Status switch
        {
            StepStatus.Done or StepStatus.DryRun when !step.CutOff => StepOutcome.Done,

            // An outcome that becomes known late changes nothing: people were told otherwise.
            StepStatus.Unknown or StepStatus.Done => StepOutcome.Unknown,
            _ => StepOutcome.Failed,
        },
        step.Outcome ?? "");
}

/// <param name="Known">The record of an earlier attempt; null on the first.</param>
internal sealed record StepAttempt(
    Incident Incident, StepRequest Request, StepSpec Spec, IAction Action, StepRecord? Known, StepContext Context)
{
    public StepBinding Binding { get; } = StepBinding.Of(Spec.With, Action.ParametersType, IncidentTemplateScope.Of(Incident));

    public Gate? Gate => Incident.FindGate(Request.GateId);

    public int Number => (Known?.Attempts ?? 0) + 1;

    /// <summary>The intent is on record: from now on it may have changed something.</summary>
    public bool Acts { get; set; }

    /// <summary>The action has reported, so whatever fails now is not a failure of the action.</summary>
    public bool IsOver { get; set; }

    /// <summary>Neither this attempt, which ended so, nor one before it changed anything.</summary>
    public bool DidNothing(Exception failure) =>
        Known is null or { NothingDone: true }
        && (!Acts || failure is AttemptFailedException { NothingDone: true } or StepRefusedException { NothingDone: true });

    public bool CannotBeRepeated => Acts && !Action.Repeatable;

    /// <summary>Nothing was changed, so it counts as not begun. A repeatable step fails like any other, and is tried again.</summary>
    public bool LeftNothing(AttemptFailedException failure) => failure.IsBusy || (CannotBeRepeated && failure.NothingDone);

    /// <summary>When the host stops, a repeatable step is left to the next start; for any other the failure is recorded.</summary>
    public bool FailedWith(Exception failure, bool hostStops) =>
        !IsOver && (!hostStops || (CannotBeRepeated && failure is not OperationCanceledException));

    public string Redact(string text) => CleanText.Said(text, Binding.Secrets);

    public Exception Redact(Exception failure) => Redactor.Redact(failure, Binding.Secrets);

    /// <summary>Actions quote systems that may say anything, and later steps read the outputs.</summary>
    public ActionResult Clean(ActionResult result) => result with
    {
        Result = Redact(result.Result),
        Outputs = result.Outputs.ToDictionary(output => output.Key, output => Redact(output.Value)),
    };
}

/// <summary>
/// Attempts that this process knows nothing of. Where several processes share the hub, one that lost its lock may still be at work: its
/// attempt is not called cut off before its time is over, and what comes of it until then counts.
/// </summary>
public sealed class LostAttempts(IIncidentStore store, Func<IIncidentEngine?> engine, TimeProvider time)
{
    private static readonly TimeSpan s_nextLook = TimeSpan.FromSeconds(30);

    /// <returns>Null when nothing can be at work any more.</returns>
    public async Task<StepResult?> AwaitAsync(Incident incident, StepSpec spec, StepRecord known, CancellationToken cancellationToken)
    {
        var (began, now) = (known.AttemptedAt ?? known.StartedAt, time.GetUtcNow());
        var over = began + spec.Timeout + StepRunner.SlotGrace;
        if (engine() is { IsShared: false } || now >= over || Clocks.IsAhead(began, now))
        {
            return null;
        }

        await store.UpdateAsync(incident.Id, i => i.AwaitOutcome(known, over, now), cancellationToken);
        return new(StepOutcome.Held, "an attempt may still be at work.") { Until = over < now + s_nextLook ? over : now + s_nextLook };
    }
}
