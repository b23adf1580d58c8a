using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Execution;

/// <summary>Everything that can speak against a step from our own side, asked at the last moment before it acts.</summary>
public sealed class StepGuard(GuardrailEvaluator guardrails, GroundCheck ground, RunLimits limits)
{
    /// <returns>Null when the step may act; its run is then counted.</returns>
    public async Task<StepResult?> CheckAsync(Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        var question = new GuardrailContext(incident, runbook, phase, AboutToRun: true, gate);
        var violations = await guardrails.EvaluateAsync(question, cancellationToken);
        if (violations.Select(violation => Apply(gate, violation)).OfType<StepResult>().OrderByDescending(report => report.End == StepOutcome.Refused).ThenByDescending(report => report.Until).FirstOrDefault() is { } refusal)
        {
            return refusal;
        }

        // To tell is not to act.
        if (!gate.Plan.TellsOnly && !incident.IsAgreedSinceRestored)
        {
            return new(StepOutcome.PlanChanged, Incident.RestoredText);
        }

        if (await ground.FindChangeAsync(incident, runbook, gate, phase, cancellationToken) is { } changed)
        {
            return new(StepOutcome.PlanChanged, changed);
        }

        // Later steps are not another run.
        if (question.HasBegun)
        {
            return null;
        }

        var overruled = Overruled(gate, RunLimits.Guardrail);
        return await limits.ReserveAsync(incident, runbook, overruled, cancellationToken) is { } taken ? Apply(gate, taken) : null;
    }

    /// <summary>A person overrules what stood on the card, and nothing that came up since.</summary>
    private static StepResult? Apply(Gate gate, GuardrailViolation violation) => violation.Severity switch
    {
        GuardrailSeverity.Tell => null,

        // To tell is not to act; how often somebody is told is limited all the same.
        _ when gate.Plan.TellsOnly && violation.Guardrail != RunLimits.Guardrail && (violation.Severity == GuardrailSeverity.AskFirst || violation.IsLiftedByPeople) => null,
        GuardrailSeverity.AskFirst => Overruled(gate, violation.Guardrail) ? null : new(StepOutcome.PlanChanged, violation.Why),
        _ when violation.IsLiftedByPeople || violation.Severity is GuardrailSeverity.DiagnoseOnly or GuardrailSeverity.Suppress => new(StepOutcome.Held, violation.Why) { Until = violation.Until },
        _ => new(StepOutcome.Refused, violation.Why),
    };

    private static bool Overruled(Gate gate, string guardrail) => gate.Decisions.Count > 0 && gate.Overrules.Contains(guardrail);
}
