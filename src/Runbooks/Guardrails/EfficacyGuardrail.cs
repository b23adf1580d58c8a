using Microsoft.Extensions.Options;

namespace Runbooks.Guardrails;

/// <summary>Tells how well this runbook's fixes worked before; one that keeps coming back is no longer done without asking.</summary>
public sealed class EfficacyGuardrail(Ledgers ledgers, IOptionsMonitor<SafetyOptions> options) : IGuardrail
{
    public async Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken)
    {
        var (incident, limits) = (question.Incident, question.Runbook.Limits);
        if (incident.Steps.Count > 0)
        {
            return null;
        }

        var within = Ledgers.RecurredWithin(limits);
        var ledger = (await ledgers.ReadAsync(question.Runbook.Id, cancellationToken)).MarkRecurred(incident.Target, incident.OpenedAt, within);
        var efficacy = Efficacy.Of(ledger.Runs, Efficacy.ClassOf(incident.Target));
        if (efficacy.Words() is not { } words)
        {
            return null;
        }

        var cameBack = ledger.Runs.Count(run => run.Outcome == RunOutcome.Recurred && run.Target == incident.Target && incident.OpenedAt - run.EndedAt < within * options.CurrentValue.AskAfterRecurrences);
        return cameBack >= options.CurrentValue.AskAfterRecurrences
            ? new("efficacy", $"{words} On this target the fix came undone {cameBack} times lately, so it is no longer done without asking.", ObjectionSeverity.AskFirst)
            : new("efficacy", words, ObjectionSeverity.Tell);
    }
}
