namespace Runbooks.Guardrails;

public sealed class KillSwitchGuardrail(KillSwitch killSwitch) : IGuardrail
{
    public async Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken) =>
        (await killSwitch.ReadAsync(cancellationToken)).Words() is { } words
            ? new Objection("killSwitch", words, ObjectionSeverity.Forbid)
            : null;
}
