namespace Runbooks.Guardrails;

/// <summary>
/// A reason not to act, asked when a gate opens (so that people see it) and again when a step is about to run (so that
/// it holds). Every registered guardrail is asked.
/// </summary>
public interface IGuardrail
{
    /// <returns>Null when nothing speaks against it.</returns>
    Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken);
}

/// <param name="AboutToRun">True: the step runs next. False: the gate opens.</param>
/// <param name="Gate">The gate that covers the step; null while it is being opened.</param>
public sealed record GuardrailContext(Incident Incident, Runbook Runbook, Phase Phase, bool AboutToRun, Gate? Gate = null)
{
    private Task<RunHistory>? _history;

    /// <summary>
    /// What has begun may finish: half a fix is worse than a whole one. A step that only tells begins nothing, unless the others tell
    /// as well.
    /// </summary>
    public bool HasBegun => Gate is { Plan.TellsOnly: true } ? Incident.Steps.Count > 0 : Incident.HasActed;

    /// <summary>What became of the runbook's fixes, read once for all who ask.</summary>
    public Task<RunHistory> HistoryAsync(RunHistoryStore histories, CancellationToken cancellationToken) =>
        _history ??= histories.ReadAsync(Runbook.Id, cancellationToken);
}

/// <summary>Why not to act.</summary>
/// <param name="Guardrail">Which one: one of <see cref="GuardrailNames"/>.</param>
/// <param name="Why">In words, with the remedy.</param>
/// <param name="Severity">Whether a person may overrule it.</param>
public sealed record GuardrailViolation(string Guardrail, string Why, GuardrailSeverity Severity)
{
    /// <summary>A person turns it off again, so that it makes sense to wait for that.</summary>
    public bool IsLiftedByPeople { get; init; }

    /// <summary>When it ends by itself; null where it does not.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>To tell is not to act; how often somebody is told is limited all the same, and so is on whose word.</summary>
    public bool Concerns(Plan plan) => !plan.TellsOnly || Guardrail is GuardrailNames.Limits or GuardrailNames.Approvers || !(Severity == GuardrailSeverity.AskFirst || IsLiftedByPeople);
}

/// <summary>Stored on gates and given out by the API: never change the text of one, or what a person overruled is asked anew.</summary>
public static class GuardrailNames
{
    /// <summary>Whether those who approved may still decide.</summary>
    public const string Approvers = "approvers";

    public const string Breaker = "breaker";
    public const string KillSwitch = "killSwitch";
    public const string Limits = "limits";
    public const string Mode = "mode";
    public const string SuccessRate = "efficacy";

    /// <summary>The actions that a team's runbooks may use.</summary>
    public const string Team = "team";

    /// <summary>Maintenance windows.</summary>
    public const string Window = "window";
}

/// <summary>From the mildest to the strictest.</summary>
public enum GuardrailSeverity
{
    /// <summary>Shown with the question; changes nothing.</summary>
    Tell,

    /// <summary>The runbook may not act by itself; a person may say yes.</summary>
    AskFirst,

    /// <summary>As planned, nothing is to run now: the incident closes with what was found, which is sent to whoever would have been asked.</summary>
    DiagnoseOnly,

    /// <summary>As planned, nothing is to run now, and nobody is told.</summary>
    Suppress,

    /// <summary>Nothing may run now, whoever says yes.</summary>
    Forbid,
}

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
                new GuardrailViolation(GuardrailNames.Mode, "The system was set to dry run after this incident had opened. Let a new incident open, or set Safety:Mode back.", GuardrailSeverity.Forbid),
            RunMode.ApproveAll when NobodySaidYes(question) =>
                new GuardrailViolation(GuardrailNames.Mode, "The system asks a person before anything runs.", GuardrailSeverity.AskFirst),
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
