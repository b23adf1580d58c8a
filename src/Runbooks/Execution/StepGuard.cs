namespace Runbooks.Execution;

/// <summary>Checked at the last moment before a step acts.</summary>
public sealed class StepGuard(GuardrailEvaluator guardrails, GroundCheck ground, RunLimits limits)
{
    /// <returns>Null when the step may act; its run is then counted.</returns>
    public async Task<StepResult?> CheckAsync(
        Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        if (await FindViolationAsync(incident, runbook, gate, phase, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        // Sending messages needs no agreement after a restore.
        if (!gate.Plan.TellsOnly && !incident.IsAgreedSinceRestored)
        {
            return new(StepOutcome.PlanChanged, Incident.RestoredText);
        }

        var (asked, changed) = await ground.FindChangeAsync(incident, runbook, gate, phase, cancellationToken);
        if (changed is not null)
        {
            return new(StepOutcome.PlanChanged, changed);
        }

        // The checks may have taken minutes, and somebody may have engaged the kill switch.
        if (asked && await FindViolationAsync(incident, runbook, gate, phase, cancellationToken) is { } since)
        {
            return since;
        }

        // Later steps belong to the same run.
        if (new GuardrailContext(incident, runbook, phase, AboutToRun: true, gate).HasBegun)
        {
            return null;
        }

        var overruled = Overruled(gate, GuardrailNames.Limits);
        return await limits.ReserveAsync(incident, runbook, overruled, cancellationToken) is { } taken
            ? Apply(gate, taken)
            : null;
    }

    private async Task<StepResult?> FindViolationAsync(
        Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        var violations = await guardrails.EvaluateAsync(
            new GuardrailContext(incident, runbook, phase, AboutToRun: true, gate), cancellationToken);
        return violations
            .Select(violation => Apply(gate, violation))
            .OfType<StepResult>()
            .OrderByDescending(report => report.End == StepOutcome.Refused)
            .ThenByDescending(report => report.Until)
            .FirstOrDefault();
    }

    /// <summary>A person overrules the warnings that were on the card, and none that came up since.</summary>
    private static StepResult? Apply(Gate gate, GuardrailViolation violation) => violation.Severity switch
    {
        GuardrailSeverity.Tell => null,
        _ when !violation.Concerns(gate.Plan) => null,
        GuardrailSeverity.AskFirst => Overruled(gate, violation.Guardrail) ? null : new(StepOutcome.PlanChanged, violation.Why),
        _ when violation.IsLiftedByPeople
            || violation.Severity is GuardrailSeverity.DiagnoseOnly or GuardrailSeverity.Suppress =>
            new(StepOutcome.Held, violation.Why) { Until = violation.Until },
        _ => new(StepOutcome.Refused, violation.Why),
    };

    private static bool Overruled(Gate gate, string guardrail) => gate.Decisions.Count > 0 && gate.Overrules.Contains(guardrail);
}

public sealed record StepResult(StepOutcome End, string Message)
{
    /// <summary>A person wants the changes to be taken back, or was told that they are, whatever the phase.</summary>
    public bool TakesBack { get; init; }

    /// <summary>When the guardrail ends by itself; null where only a person lifts it.</summary>
    public DateTimeOffset? Until { get; init; }
}

public enum StepOutcome
{
    Done,

    /// <summary>It differs from what was approved; nothing ran.</summary>
    PlanChanged,

    /// <summary>A guardrail says no, or the action did when it prepared; nothing ran.</summary>
    Refused,

    /// <summary>A guardrail says not now; nothing ran. It may run once a person lifts that, or its time is over.</summary>
    Held,

    /// <summary>Too many steps of its action are running. It runs when it is its turn.</summary>
    Waiting,

    Stopped,

    /// <summary>A person does it, and has not reported yet.</summary>
    AwaitsPerson,
    Failed,

    /// <summary>An attempt failed, and more are allowed.</summary>
    AttemptFailed,

    /// <summary>It cannot be repeated, and whether it happened is unknown.</summary>
    Unknown,
}

/// <param name="Step">Where the phase stopped; null when all are done.</param>
/// <param name="Result">Done where the time of the activity was up before that step.</param>
public sealed record PhaseResult(string? Step, StepResult Result)
{
    public static readonly PhaseResult Done = new(null, new StepResult(StepOutcome.Done, ""));
}

/// <summary>
/// Asks the checks again before a step acts on old answers: the question waited long, the step was held back, or the host
/// was down between the yes and the step.
/// </summary>
public sealed class GroundCheck(IIncidentStore store, CheckRunner checks, TimeProvider time)
{
    private const string OldApproval = "The approval is older than";
    private const string OldAnswers = "The answers that it rested on were older than";
    private const string Lacks = "What the steps rely on no longer passes.";
    private const string AskedOnceMore = "The checks were asked once more before the first step, and";
    private static readonly string[] s_ofAnswers = [OldApproval, OldAnswers, Lacks, AskedOnceMore];

    /// <summary>Whether people were asked again because of the answers or their age, and not because the plan had changed.</summary>
    public static bool IsOfAnswers(string difference) => s_ofAnswers.Any(words => difference.StartsWith(words, StringComparison.Ordinal));

    /// <returns>Asked: checks were asked, which takes time. Changed: why people have to be asked again.</returns>
    public async Task<(bool Asked, string? Changed)> FindChangeAsync(
        Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        if (!incident.IsGroundTooOld(phase, gate, time.GetUtcNow()))
        {
            return await LookBeforeActingAsync(incident, runbook, gate, phase, cancellationToken);
        }

        // The checks of the verification too: a step is not credited with what passes already.
        var before = BeforeActing(runbook);
        List<CheckSpec> specs = [.. runbook.Diagnosis.Where(spec => phase == Phase.Mitigation
            ? runbook.Mitigation.When.Asks(spec.Name) || before.Contains(spec.Name)
            : runbook.Mitigation.Verify?.Checks.Contains(spec.Name) == true)];
        if (specs.Count == 0)
        {
            var age = DurationText.Format(Incident.LongestGround);
            return (false, $"{OldApproval} {age}, and there are no checks that could say whether it still holds.");
        }

        var findings = await checks.AskAllAsync(incident, specs, cancellationToken);
        var holds = phase == Phase.Mitigation
            ? StillCalls(incident, runbook.Mitigation.When, findings)
            : findings.All(finding => finding.Verdict == Verdict.Passing);
        var changed = holds
            ? FindUnmetNeed(incident, runbook, gate, phase, findings)
            : $"{OldAnswers} {DurationText.Format(Incident.LongestGround)}, and now they are others. {Incident.Summarize(findings)}";
        await store.UpdateAsync(
            incident.Id,
            i => changed is null
                ? i.Confirm(findings, time.GetUtcNow())
                : i.Unsettle(gate, phase, changed, stillCalls: holds, findings, time.GetUtcNow()),
            cancellationToken);
        return (true, changed);
    }

    /// <summary>
    /// Asks the checks of the verification, since a step is not credited with what came right while people decided, and those that the
    /// steps need. Where nobody has said yes, it also asks those that call for the mitigation: nothing acts on old answers once the new
    /// ones no longer call for it.
    /// </summary>
    private async Task<(bool Asked, string? Changed)> LookBeforeActingAsync(
        Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        var (when, isUnanswered) = (runbook.Mitigation.When, gate.Decisions.Count == 0);
        var before = BeforeActing(runbook);
        List<CheckSpec> asked =
        [
            .. runbook.Diagnosis.Where(spec => before.Contains(spec.Name) || (isUnanswered && when.Asks(spec.Name))),
        ];
        if (phase != Phase.Mitigation || gate.Plan.TellsOnly || asked.Count == 0 || !incident.NeedsLookBeforeActing(time.GetUtcNow()))
        {
            return (false, null);
        }

        var findings = await checks.AskAllAsync(incident, asked, cancellationToken);
        var renewed = incident.Renewed(findings);
        var isOver = isUnanswered && !StillCalls(incident, when, renewed);
        var changed = isOver
            ? $"{AskedOnceMore} {NoLongerCalls(Diagnosis.Conclude(when, renewed))}. {Incident.Summarize(findings)}"
            : FindUnmetNeed(incident, runbook, gate, phase, findings);
        await store.UpdateAsync(
            incident.Id,
            i => changed is null
                ? i.RecordBeforeActing(findings, time.GetUtcNow())
                : i.Unsettle(gate, phase, changed, stillCalls: !isOver, findings, time.GetUtcNow()),
            cancellationToken);
        return (true, changed);
    }

    private static string NoLongerCalls(Conclusion conclusion) => conclusion == Conclusion.Healthy
        ? "no longer call for it"
        : "cannot say any more whether it is called for";

    private static List<string> BeforeActing(Runbook runbook) =>
        [.. (runbook.Mitigation.Verify?.Checks ?? []).Union(runbook.Mitigation.Needs)];

    /// <returns>Null where the steps have what they need, or a person saw what they lack and approved.</returns>
    private static string? FindUnmetNeed(Incident incident, Runbook runbook, Gate gate, Phase phase, IReadOnlyList<Finding> findings)
    {
        var shown = gate.Decisions.Count > 0
            ? Diagnosis.UnmetNeeds(runbook.Mitigation, phase, gate.Plan, incident.Findings)
            : [];
        var unmet = Diagnosis.UnmetNeeds(runbook.Mitigation, phase, gate.Plan, findings)
            .ExceptBy(shown.Select(finding => finding.Name), finding => finding.Name)
            .ToList();
        return unmet.Count == 0 ? null : $"{Lacks} {Incident.Summarize(unmet)}";
    }

    /// <summary>A person may have approved although the checks did not call for it: then the same answer still counts.</summary>
    private static bool StillCalls(Incident incident, Condition when, IReadOnlyList<Finding> findings)
    {
        var now = Diagnosis.Conclude(when, findings);
        return now == Conclusion.Failing || now == Diagnosis.Conclude(when, incident.Findings);
    }
}
