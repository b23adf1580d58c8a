namespace Runbooks.Guardrails;

/// <summary>Asks every guardrail.</summary>
public sealed class GuardrailEvaluator(IEnumerable<IGuardrail> guardrails)
{
    public async Task<IReadOnlyList<Objection>> AskAsync(GuardrailQuestion question, CancellationToken cancellationToken)
    {
        var objections = new List<Objection>();
        foreach (var guardrail in guardrails)
        {
            if (await guardrail.ObjectAsync(question, cancellationToken) is { } objection)
            {
                objections.Add(objection);
            }
        }

        return objections;
    }
}
