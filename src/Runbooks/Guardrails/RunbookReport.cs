using Runbooks.Model.Definition;

namespace Runbooks.Guardrails;

/// <summary>How a runbook does, for its author: by kind of target, and what that suggests. Nothing follows from it by itself.</summary>
public sealed record RunbookReport(
    string Runbook, IReadOnlyList<Efficacy> Targets, BreakerOpening? Breaker, IReadOnlyList<BreakerReset> Resets, IReadOnlyList<string> Suggestions)
{
    /// <summary>Fixes in a row, on one kind of target, that make a runbook worth thinking about.</summary>
    public const int SteadyAfter = 10;

    /// <param name="runbook">As it is loaded; null when it no longer is.</param>
    public static RunbookReport Of(string id, Runbook? runbook, RunbookLedger ledger)
    {
        var targets = Efficacy.OfEach(ledger.Runs);
        return new(id, targets, ledger.Breaker, ledger.Resets, [.. targets.Select(target => Suggest(runbook, target)).OfType<string>()]);
    }

    private static string? Suggest(Runbook? runbook, Efficacy target) => target switch
    {
        { Recurred: > 1 } => $"On {target.Class} the fix came undone {target.Recurred} times: it treats the symptom.",
        _ when runbook?.Mitigation.Approval is not null && target.Runs >= SteadyAfter && target.Verified == target.Runs =>
            $"On {target.Class} it worked {target.Verified} times of {target.Runs}. A person may decide to let it heal by itself: remove 'mitigation.approval' and set 'limits'.",
        _ => null,
    };
}
