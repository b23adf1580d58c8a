using Microsoft.Extensions.Options;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Guardrails;

/// <summary>
/// The system's mode at this moment. An incident keeps the mode it opened with, so that its cards stay true; a system
/// that has become stricter since then stops it here.
/// </summary>
public sealed class ModeGuardrail(IOptionsMonitor<SafetyOptions> options) : IGuardrail
{
    public Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        Task.FromResult(options.CurrentValue.Mode switch
        {
            RunMode.DryRun when question.Incident.Mode != RunMode.DryRun =>
                new GuardrailViolation("mode", "The system was set to dry run after this incident had opened. Let a new incident open, or set Safety:Mode back.", GuardrailSeverity.Forbid),
            RunMode.ApproveAll when NobodySaidYes(question) =>
                new GuardrailViolation("mode", "The system asks a person before anything runs.", GuardrailSeverity.AskFirst),
            _ => null,
        });

    /// <summary>While the gate opens, only a runbook that would not ask needs telling.</summary>
    private static bool NobodySaidYes(GuardrailContext question) => question.AboutToRun
        ? question.Gate is not { Decisions.Count: > 0 }
        : question.Runbook.ApprovalOf(question.Phase) is null;
}

/// <summary>The mode of a runbook as it is loaded at this moment; null when it no longer is.</summary>
public delegate RunMode? LoadedMode(string runbookId);

/// <summary>
/// The mode of an incident that goes on where another ended. Nobody asked for it anew, so the stricter counts of what held
/// then and what holds now: what was a rehearsal does not become real, and what was set to dry run since does not act.
/// </summary>
public sealed class FollowingMode(IOptionsMonitor<SafetyOptions> options, LoadedMode loaded)
{
    public RunMode After(Incident before) =>
        RunModes.Stricter(before.Mode, RunModes.Stricter(options.CurrentValue.Mode, loaded(before.RunbookId) ?? RunMode.Normal));
}
