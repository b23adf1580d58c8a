using Runbooks.Model.Incidents;

namespace Runbooks.Guardrails;

/// <summary>Repeating what did not help several times in a row is not a plan.</summary>
public sealed class BreakerGuardrail(Ledgers ledgers) : IGuardrail
{
    public async Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken)
    {
        // An incident that has begun may finish: half a fix is worse than a whole one.
        if (question.Incident.Steps.Count > 0)
        {
            return null;
        }

        var ledger = await ledgers.ReadAsync(question.Runbook.Id, cancellationToken);
        return ledger.Breaker is { } open
            ? new("breaker", $"The breaker of runbook '{question.Runbook.Id}' is open since {GateWords.Clock(open.At)}: {open.Why} Somebody has to reset it, with a reason.", ObjectionSeverity.Forbid)
            : null;
    }
}
