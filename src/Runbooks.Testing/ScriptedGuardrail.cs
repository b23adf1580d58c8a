using Runbooks.Guardrails;
using Runbooks.Model.Definition;

namespace Runbooks.Testing;

/// <summary>Says what limits, windows and breakers would say that have a past.</summary>
internal sealed class ScriptedGuardrail(WorldScript script) : IGuardrail
{
    public Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken) =>
        Task.FromResult(script.Objections.TryGetValue(question.Phase == Phase.Mitigation ? "mitigation" : "resolution", out var severity)
            ? new Objection("scripted", $"As scripted: {severity}.", Enum.Parse<ObjectionSeverity>(severity, ignoreCase: true))
            : null);
}
