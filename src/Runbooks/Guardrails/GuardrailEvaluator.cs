namespace Runbooks.Guardrails;

/// <summary>Asks every guardrail.</summary>
public sealed class GuardrailEvaluator(IEnumerable<IGuardrail> guardrails)
{
    public async Task<IReadOnlyList<GuardrailViolation>> EvaluateAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var violations = new List<GuardrailViolation>();
        foreach (var guardrail in guardrails)
        {
            if (await guardrail.CheckAsync(question, cancellationToken) is { } violation)
            {
                violations.Add(violation);
            }
        }

        return violations;
    }
}
