namespace Runbooks.Model.Definition;

/// <summary>How often a runbook may act. They hold at the moment a step is about to run.</summary>
public sealed record Limits
{
    /// <summary>Runs on one target within <see cref="Per"/>; null for no limit.</summary>
    public int? MaxRuns { get; init; }

    public TimeSpan Per { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The pause between two runs on one target.</summary>
    public TimeSpan CoolDown { get; init; }

    /// <summary>After a verified fix, alerts on the target within this time belong to the closed incident.</summary>
    public TimeSpan SettleFor { get; init; }

    /// <summary>Blast radius: distinct targets that this runbook may act on within <see cref="Per"/>; null for no limit.</summary>
    public int? MaxTargets { get; init; }

    /// <summary>What an exceeded limit means.</summary>
    public WhenExceeded WhenExceeded { get; init; }
}

public enum WhenExceeded
{
    /// <summary>A person may say yes all the same; a runbook that heals itself asks.</summary>
    Ask,

    /// <summary>Nothing runs, whoever says yes.</summary>
    Forbid,
}
