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
