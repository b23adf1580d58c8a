using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Execution;

/// <summary>Everything that can speak against a step from our own side, asked at the last moment before it acts.</summary>
public sealed class StepGuard(GuardrailEvaluator guardrails, RunLimits limits)
{
    /// <returns>Null when the step may act; its run is then counted.</returns>
    public async Task<StepReport?> ObjectAsync(Incident incident, Runbook runbook, Gate gate, Phase phase, CancellationToken cancellationToken)
    {
        var objections = await guardrails.AskAsync(new GuardrailQuestion(incident, runbook, phase, AboutToRun: true, gate), cancellationToken);
        if (objections.Select(objection => Weigh(gate, objection)).OfType<StepReport>().OrderByDescending(report => report.End == StepEnd.Refused).FirstOrDefault() is { } refusal)
        {
            return refusal;
        }

        var overruled = Overruled(gate, RunLimits.Guardrail);
        return await limits.ReserveAsync(incident, runbook, overruled, cancellationToken) is { } taken ? Weigh(gate, taken) : null;
    }

    /// <summary>A person overrules what stood on the card, and nothing that came up since.</summary>
    private static StepReport? Weigh(Gate gate, Objection objection) => objection.Severity switch
    {
        ObjectionSeverity.Tell => null,
        ObjectionSeverity.AskFirst => Overruled(gate, objection.Guardrail) ? null : new(StepEnd.PlanChanged, objection.Why),
        _ => new(StepEnd.Refused, objection.Why),
    };

    private static bool Overruled(Gate gate, string guardrail) => gate.Decisions.Count > 0 && gate.Overrules.Contains(guardrail);
}
