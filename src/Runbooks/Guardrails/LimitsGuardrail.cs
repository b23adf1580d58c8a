namespace Runbooks.Guardrails;

/// <summary>Shows that a limit is used up; <see cref="RunLimits.ReserveAsync"/> is what holds it.</summary>
public sealed class LimitsGuardrail(RunLimits limits) : IGuardrail
{
    public async Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken) =>
        question.Incident.Steps.Count > 0 ? null : await limits.PeekAsync(question.Incident, question.Runbook, cancellationToken);
}
