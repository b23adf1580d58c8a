using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

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

    public string Redact(string text) => Redactor.Redact(text, Binding.Secrets);

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
