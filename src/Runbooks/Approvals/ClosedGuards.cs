using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Storage;

namespace Runbooks.Approvals;

/// <summary>
/// What keeps an open question from being carried out right now, whoever says yes: the kill switch, an open breaker, a
/// maintenance window, a limit that forbids. Shown with the question, and asked once more when somebody approves.
/// </summary>
public sealed class ClosedGuards(GuardrailEvaluator guardrails, PinnedRunbooks runbooks)
{
    /// <returns>Each in words; empty when nothing stands against it, or when the question is not open.</returns>
    public async Task<IReadOnlyList<string>> FindAsync(Incident incident, Gate? gate, CancellationToken cancellationToken)
    {
        if (gate is not { Outcome: GateOutcome.Pending } || incident.State.IsFinal())
        {
            return [];
        }

        // As if the step came next: then a window only answers, and does not take the incident up at its end.
        var context = new GuardrailContext(incident, await runbooks.OfAsync(incident, cancellationToken), gate.Phase, AboutToRun: true, gate);
        return [.. (await guardrails.EvaluateAsync(context, cancellationToken)).Where(violation => violation.Severity > GuardrailSeverity.AskFirst).Select(violation => violation.Why)];
    }
}
