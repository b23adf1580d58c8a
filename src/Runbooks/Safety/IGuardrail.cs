using Runbooks.Catalog;
using Runbooks.Incidents;

namespace Runbooks.Safety;

/// <summary>
/// A reason not to act, asked when a gate opens (so that people see it) and again when a step is about to run (so that
/// it holds). Every registered guardrail is asked.
/// </summary>
public interface IGuardrail
{
    /// <returns>Null when nothing speaks against it.</returns>
    Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken);
}

/// <param name="AboutToRun">True: the step runs next, so a limit is used up now. False: the gate opens.</param>
public sealed record GuardrailQuestion(Incident Incident, Runbook Runbook, Phase Phase, bool AboutToRun);

/// <summary>Why not to act.</summary>
/// <param name="Guardrail">Which one: <c>limits</c>, <c>breaker</c>, <c>window</c> …</param>
/// <param name="Why">In words, with the remedy.</param>
/// <param name="Severity">Whether a person may overrule it.</param>
public sealed record Objection(string Guardrail, string Why, ObjectionSeverity Severity);

public enum ObjectionSeverity
{
    /// <summary>The runbook may not act by itself; a person may say yes.</summary>
    AskFirst,

    /// <summary>Nothing may run now, whoever says yes.</summary>
    Forbid,
}
