using Runbooks.Model.Definition;

namespace Runbooks.Engine;

/// <summary>
/// What the orchestration has to know of a runbook: names, order and times. The runbook itself is pinned in the store, and
/// the activities read it there; only this is carried in history.
/// </summary>
/// <param name="Hash">The version that the incident is pinned to.</param>
public sealed record RunbookOutline(
    string Hash,
    IReadOnlyList<CheckOutline> Diagnosis,
    Condition When,
    IReadOnlyList<StepOutline> Mitigation,
    Verify? Verify,
    Hold? HoldUntil,
    IReadOnlyList<StepOutline> Resolution,
    bool ResolutionAsks,
    TimeSpan SettleFor)
{
    public static RunbookOutline Of(Runbook runbook) => new(
        runbook.Hash,
        [.. runbook.Diagnosis.Select(check => new CheckOutline(check.Name, check.Ask))],
        runbook.Mitigation.When,
        Steps(runbook.Mitigation.Steps),
        runbook.Mitigation.Verify,
        runbook.Mitigation.HoldUntil,
        Steps(runbook.Resolution.Steps),
        runbook.Resolution.Approval is not null,
        runbook.Limits.SettleFor);

    public IReadOnlyList<StepOutline> StepsOf(Phase phase) => phase == Phase.Mitigation ? Mitigation : Resolution;

    private static StepOutline[] Steps(IEnumerable<StepSpec> steps) => [.. steps.Select(step => new StepOutline(step.Name, step.Retry))];
}

public sealed record CheckOutline(string Name, string Ask);

public sealed record StepOutline(string Name, StepRetry Retry);
