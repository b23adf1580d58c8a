using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

/// <summary>Everything that can speak against a step from our own side, asked at the last moment before it acts.</summary>
public sealed class StepGuard(GuardrailEvaluator guardrails, GroundCheck ground, RunLimits limits)
{
    /// <returns>Null when the step may act; its run is then counted.</returns>
    public async Task<StepResult?> CheckAsync(Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        if (await FindViolationAsync(incident, runbook, gate, phase, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        // To tell is not to act.
        if (!gate.Plan.TellsOnly && !incident.IsAgreedSinceRestored)
        {
            return new(StepOutcome.PlanChanged, Incident.RestoredText);
        }

        var (asked, changed) = await ground.FindChangeAsync(incident, runbook, gate, phase, cancellationToken);
        if (changed is not null)
        {
            return new(StepOutcome.PlanChanged, changed);
        }

        // The checks may have taken minutes, in which somebody has engaged the kill switch.
        if (asked && await FindViolationAsync(incident, runbook, gate, phase, cancellationToken) is { } since)
        {
            return since;
        }

        // Later steps are not another run.
        if (new GuardrailContext(incident, runbook, phase, AboutToRun: true, gate).HasBegun)
        {
            return null;
        }

        var overruled = Overruled(gate, GuardrailNames.Limits);
        return await limits.ReserveAsync(incident, runbook, overruled, cancellationToken) is { } taken ? Apply(gate, taken) : null;
    }

    private async Task<StepResult?> FindViolationAsync(Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        var violations = await guardrails.EvaluateAsync(new GuardrailContext(incident, runbook, phase, AboutToRun: true, gate), cancellationToken);
        return violations.Select(violation => Apply(gate, violation)).OfType<StepResult>().OrderByDescending(report => report.End == StepOutcome.Refused).ThenByDescending(report => report.Until).FirstOrDefault();
    }

    /// <summary>A person overrules what stood on the card, and nothing that came up since.</summary>
    private static StepResult? Apply(Gate gate, GuardrailViolation violation) => violation.Severity switch
    {
        GuardrailSeverity.Tell => null,
        _ when !violation.Concerns(gate.Plan) => null,
        GuardrailSeverity.AskFirst => Overruled(gate, violation.Guardrail) ? null : new(StepOutcome.PlanChanged, violation.Why),
        _ when violation.IsLiftedByPeople || violation.Severity is GuardrailSeverity.DiagnoseOnly or GuardrailSeverity.Suppress => new(StepOutcome.Held, violation.Why) { Until = violation.Until },
        _ => new(StepOutcome.Refused, violation.Why),
    };

    private static bool Overruled(Gate gate, string guardrail) => gate.Decisions.Count > 0 && gate.Overrules.Contains(guardrail);
}

/// <summary>
/// Asks the checks again before a step acts on old answers: the question waited long, the step was held back, or the host
/// was down between the yes and the deed.
/// </summary>
public sealed class GroundCheck(IIncidentStore store, CheckRunner checks, TimeProvider time)
{
    private const string OldApproval = "The approval is older than";
    private const string OldAnswers = "The answers that it rested on were older than";
    private const string Lacks = "What the steps rely on no longer passes.";
    private const string AskedOnceMore = "The checks were asked once more before the first step, and";
    private static readonly string[] s_ofAnswers = [OldApproval, OldAnswers, Lacks, AskedOnceMore];

    /// <summary>Whether people were asked anew because of the answers or their age, and not because the plan itself had changed.</summary>
    public static bool IsOfAnswers(string difference) => s_ofAnswers.Any(words => difference.StartsWith(words, StringComparison.Ordinal));

    /// <returns>Whether checks were asked, which takes its time; and why the step has to be asked about anew, null when it may act.</returns>
    public async Task<(bool Asked, string? Changed)> FindChangeAsync(Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        if (!incident.IsGroundTooOld(phase, gate, time.GetUtcNow()))
        {
            return await LookBeforeActingAsync(incident, runbook, gate, phase, cancellationToken);
        }

        // Those of the verification too: with what passes by now, no step is credited.
        var before = BeforeActing(runbook);
        List<CheckSpec> specs = [.. runbook.Diagnosis.Where(spec => phase == Phase.Mitigation
            ? runbook.Mitigation.When.Asks(spec.Name) || before.Contains(spec.Name)
            : runbook.Mitigation.Verify?.Checks.Contains(spec.Name) == true)];
        if (specs.Count == 0)
        {
            return (false, $"{OldApproval} {DurationText.Format(Incident.LongestGround)}, and there are no checks that could say whether it still holds.");
        }

        var findings = await checks.AskAllAsync(incident, specs, cancellationToken);
        var holds = phase == Phase.Mitigation ? StillCalls(incident, runbook.Mitigation.When, findings) : findings.All(finding => finding.Verdict == Verdict.Passing);
        var changed = holds ? FindUnmetNeed(incident, runbook, gate, phase, findings) : $"{OldAnswers} {DurationText.Format(Incident.LongestGround)}, and now they are others. {Incident.Summarize(findings)}";
        await store.UpdateAsync(
            incident.Id, i => changed is null ? i.Confirm(findings, time.GetUtcNow()) : i.Unsettle(gate, phase, changed, stillCalls: holds, findings, time.GetUtcNow()), cancellationToken);
        return (true, changed);
    }

    /// <summary>
    /// Asks again right before the first step acts, where the answers are not of just now: the checks of the verification, since with what
    /// has come right by itself while people decided no step is credited, and those that the steps need. Where nobody has said yes, those
    /// that call for the mitigation too: nothing acts on older answers once the newer ones no longer call for it.
    /// </summary>
    /// <inheritdoc cref="FindChangeAsync"/>
    private async Task<(bool Asked, string? Changed)> LookBeforeActingAsync(Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        var (when, isUnanswered) = (runbook.Mitigation.When, gate.Decisions.Count == 0);
        var before = BeforeActing(runbook);
        List<CheckSpec> asked = [.. runbook.Diagnosis.Where(spec => before.Contains(spec.Name) || (isUnanswered && when.Asks(spec.Name)))];
        if (phase != Phase.Mitigation || gate.Plan.TellsOnly || asked.Count == 0 || !incident.NeedsLookBeforeActing(time.GetUtcNow()))
        {
            return (false, null);
        }

        var findings = await checks.AskAllAsync(incident, asked, cancellationToken);
        var known = incident.Renewed(findings);
        var over = isUnanswered && !StillCalls(incident, when, known)
            ? $"{AskedOnceMore} {(Diagnosis.Conclude(when, known) == Conclusion.Healthy ? "no longer call for it" : "cannot say any more whether it is called for")}. {Incident.Summarize(findings)}"
            : null;
        var changed = over ?? FindUnmetNeed(incident, runbook, gate, phase, findings);
        await store.UpdateAsync(
            incident.Id, i => changed is null ? i.RecordBeforeActing(findings, time.GetUtcNow()) : i.Unsettle(gate, phase, changed, stillCalls: over is null, findings, time.GetUtcNow()), cancellationToken);
        return (true, changed);
    }

    private static List<string> BeforeActing(Runbook runbook) => [.. (runbook.Mitigation.Verify?.Checks ?? []).Union(runbook.Mitigation.Needs)];

    /// <returns>What the steps need and lack, unless a person saw that and approved all the same; null where it is all there.</returns>
    private static string? FindUnmetNeed(Incident incident, Runbook runbook, Gate gate, Phase phase, IReadOnlyList<Finding> findings)
    {
        var shown = gate.Decisions.Count > 0 ? Diagnosis.UnmetNeeds(runbook.Mitigation, phase, gate.Plan, incident.Findings) : [];
        var unmet = Diagnosis.UnmetNeeds(runbook.Mitigation, phase, gate.Plan, findings).ExceptBy(shown.Select(finding => finding.Name), finding => finding.Name).ToList();
        return unmet.Count == 0 ? null : $"{Lacks} {Incident.Summarize(unmet)}";
    }

    /// <summary>A person who saw that the checks do not call for it, or cannot say, and approved all the same, has approved that.</summary>
    private static bool StillCalls(Incident incident, Condition when, IReadOnlyList<Finding> findings)
    {
        var now = Diagnosis.Conclude(when, findings);
        return now == Conclusion.Failing || now == Diagnosis.Conclude(when, incident.Findings);
    }
}

/// <param name="Message">What happened, in words; the difference when the plan no longer holds.</param>
public sealed record StepResult(StepOutcome End, string Message)
{
    /// <summary>The person who stopped it wants what was changed to be taken back, or was told that it is, whatever the phase.</summary>
    public bool TakesBack { get; init; }

    /// <summary>Of what is held: when what stands against it ends by itself; null where only a person lifts it.</summary>
    public DateTimeOffset? Until { get; init; }
}

public enum StepOutcome
{
    Done,

    /// <summary>The plan differs from what was approved; nothing ran.</summary>
    PlanChanged,

    /// <summary>A guardrail says no, or the action when it looked; nothing ran.</summary>
    Refused,

    /// <summary>A guardrail says not now; nothing ran. It may run once a person lifts it, or its time is over.</summary>
    Held,

    /// <summary>As many of its action act as may; nothing ran. It runs when it is its turn.</summary>
    Waiting,

    /// <summary>A person stopped the incident; nothing ran.</summary>
    Stopped,

    /// <summary>A person does it, and has not said yet what became of it.</summary>
    AwaitsPerson,
    Failed,

    /// <summary>An attempt failed, and more are allowed.</summary>
    AttemptFailed,

    /// <summary>It cannot be repeated, and whether it happened is not known.</summary>
    Unknown,
}

/// <summary>How far a phase came.</summary>
/// <param name="Step">The step that it has come to; null when all are done.</param>
/// <param name="Result">Why it went no further; done where its time was up before that step.</param>
public sealed record PhaseResult(string? Step, StepResult Result)
{
    public static readonly PhaseResult Done = new(null, new StepResult(StepOutcome.Done, ""));
}

/// <summary>One try of a step, and how far it has come.</summary>
/// <param name="Known">The record of an attempt that began before; null on the first.</param>
internal sealed record StepAttempt(Incident Incident, StepRequest Request, StepSpec Spec, IAction Action, StepRecord? Known, StepContext Context)
{
    public StepBinding Binding { get; } = StepBinding.Of(Spec.With, Action.ParametersType, IncidentTemplateScope.Of(Incident));

    public Gate? Gate => Incident.FindGate(Request.GateId);

    public int Number => (Known?.Attempts ?? 0) + 1;

    /// <summary>Its intent is on record: from here on it may have changed something.</summary>
    public bool Acts { get; set; }

    /// <summary>The action has said what it did, so whatever fails now is no failure of the action.</summary>
    public bool IsOver { get; set; }

    /// <summary>It may have changed something, and doing it twice is not safe.</summary>
    public bool CannotBeRepeated => Acts && !Action.Repeatable;

    /// <summary>Nothing came of it, so none has begun. What can be repeated fails like any other, and is tried again.</summary>
    public bool LeftNothing(AttemptFailedException failure) => failure.IsBusy || (CannotBeRepeated && failure.NothingDone);

    /// <summary>It has failed. When the host stops, what can be repeated is left to its next start; of what cannot, it is said how it broke off.</summary>
    public bool FailedWith(Exception failure, bool hostStops) =>
        !IsOver && (!hostStops || (CannotBeRepeated && failure is not OperationCanceledException));

    public string Redact(string text) => Redactor.Redact(text, Binding.Secrets);

    public Exception Redact(Exception failure) => Redactor.Redact(failure, Binding.Secrets);

    /// <summary>Actions quote systems that may say anything; what a later step reads from it has no secret either.</summary>
    public ActionResult Clean(ActionResult result) => result with
    {
        Result = Redact(result.Result),
        Outputs = result.Outputs.ToDictionary(output => output.Key, output => Redact(output.Value)),
    };
}

/// <summary>
/// Attempts that have begun and that this process knows nothing more of. Where several processes share the hub, one whose lock was
/// lost may still be at work: it is not called cut off before its time is over, and what comes of it until then counts.
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
