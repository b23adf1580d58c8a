namespace Runbooks.Model.Definition;

/// <summary>What stops the bleeding.</summary>
public sealed record Mitigation
{
    public Condition When { get; init; } = Condition.AnyCheck;

    /// <summary>Null: the runbook heals by itself and tells afterwards.</summary>
    public Approval? Approval { get; init; }

    public IReadOnlyList<StepSpec> Steps { get; init; } = [];

    /// <summary>How a fix is known to be a fix. Null only when there are no checks to ask.</summary>
    public Verify? Verify { get; init; }

    /// <summary>Not null: the mitigation is temporary, a lease that is reverted once the cause is gone.</summary>
    public Hold? HoldUntil { get; init; }
}

/// <summary>What fixes the cause once the bleeding has stopped.</summary>
public sealed record Resolution
{
    /// <summary>Null: the steps are part of what the mitigation's approval showed.</summary>
    public Approval? Approval { get; init; }

    public IReadOnlyList<StepSpec> Steps { get; init; } = [];
}
