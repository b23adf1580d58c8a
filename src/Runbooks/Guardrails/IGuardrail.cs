namespace Runbooks.Guardrails;

/// <summary>
/// A reason not to act. Every guardrail is asked when a gate opens, so that people see the reason, and again when a step is about to run.
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
    /// What has begun may finish: half a fix is worse than a whole one. A step that only sends messages begins nothing, unless all do.
    /// </summary>
    public bool HasBegun => Gate is { Plan.TellsOnly: true } ? Incident.Steps.Count > 0 : Incident.HasActed;

    public Task<RunHistory> HistoryAsync(RunHistoryStore histories, CancellationToken cancellationToken) =>
        _history ??= histories.ReadAsync(Runbook.Id, cancellationToken);
}

/// <param name="Guardrail">One of <see cref="GuardrailNames"/>.</param>
/// <param name="Why">In words, with the remedy.</param>
public sealed record GuardrailViolation(string Guardrail, string Why, GuardrailSeverity Severity)
{
    /// <summary>A person will lift it, so that waiting makes sense.</summary>
    public bool IsLiftedByPeople { get; init; }

    /// <summary>When it ends by itself.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>
    /// Of a plan of messages only: limits, lost approvals, and what people can neither overrule nor lift. Sending a message is not acting.
    /// </summary>
    public bool Concerns(Plan plan)
    {
        var isForMessages = Guardrail is GuardrailNames.Limits or GuardrailNames.Approvers;
        var isUpToPeople = Severity == GuardrailSeverity.AskFirst || IsLiftedByPeople;
        return !plan.TellsOnly || isForMessages || !isUpToPeople;
    }
}

/// <summary>Stored on gates and used by the API: never change a text, or people are asked again about what they overruled.</summary>
public static class GuardrailNames
{
    public const string Approvers = "approvers";

    public const string Breaker = "breaker";
    public const string KillSwitch = "killSwitch";
    public const string Limits = "limits";
    public const string Mode = "mode";
    public const string SuccessRate = "efficacy";

    public const string Team = "team";

    public const string Window = "window";
}

/// <summary>From the mildest to the strictest.</summary>
public enum GuardrailSeverity
{
    /// <summary>Shown with the question; changes nothing.</summary>
    Tell,

    /// <summary>A person may say yes.</summary>
    AskFirst,

    /// <summary>Planned: nothing is to run now. The findings go to the people who would have been asked.</summary>
    DiagnoseOnly,

    /// <summary>Planned: nothing is to run now, and nobody is told.</summary>
    Suppress,

    /// <summary>Nothing may run now, even after a yes.</summary>
    Forbid,
}

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

/// <summary>An incident keeps the mode that it opened with, so that its cards stay true. A stricter system stops it here.</summary>
public sealed class ModeGuardrail(IOptionsMonitor<SafetyOptions> options) : IGuardrail
{
    public Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        Task.FromResult(options.CurrentValue.Mode switch
        {
            RunMode.DryRun when question.Incident.Mode != RunMode.DryRun =>
                new GuardrailViolation(
                    GuardrailNames.Mode,
                    "The system was set to dry run after this incident had opened. Let a new incident open, or set Safety:Mode back.",
                    GuardrailSeverity.Forbid),
            RunMode.ApproveAll when NobodySaidYes(question) =>
                new GuardrailViolation(GuardrailNames.Mode, "The system asks a person before anything runs.", GuardrailSeverity.AskFirst),
            _ => null,
        });

    /// <summary>While the gate opens, this matters only for a runbook that would not ask.</summary>
    private static bool NobodySaidYes(GuardrailContext question) => question.AboutToRun
        ? question.Gate is not { Decisions.Count: > 0 }
        : question.Runbook.ApprovalOf(question.Phase) is null;
}

public delegate RunMode? LoadedMode(string runbookId);

/// <summary>
/// Nobody asked again for an incident that goes on where another ended, so the stricter of the old and the present mode counts: a
/// rehearsal does not become real.
/// </summary>
public sealed class FollowingMode(IOptionsMonitor<SafetyOptions> options, LoadedMode loaded)
{
    public RunMode After(Incident before) =>
        RunModes.Stricter(before.Mode, RunModes.Stricter(options.CurrentValue.Mode, loaded(before.RunbookId) ?? RunMode.Normal));
}
