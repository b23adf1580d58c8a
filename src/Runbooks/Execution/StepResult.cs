namespace Runbooks.Execution;

/// <param name="Message">What happened, in words; the difference when the plan no longer holds.</param>
public sealed record StepResult(StepOutcome End, string Message)
{
    /// <summary>The person who stopped it wants what was changed to be taken back, whatever the phase.</summary>
    public bool TakesBack { get; init; }

    /// <summary>Of what is held: when what stands against it ends by itself; null where only a person lifts it.</summary>
    public DateTimeOffset? Until { get; init; }
}

public enum StepOutcome
{
    Done,

    /// <summary>The world is no longer what was shown; nothing ran.</summary>
    PlanChanged,

    /// <summary>A guardrail says no, or the action when it looked; nothing ran.</summary>
    Refused,

    /// <summary>A guardrail says not now; nothing ran. It may run once a person lifts it, or its time is over.</summary>
    Held,

    /// <summary>As many of its action act as may; nothing ran. It runs when it is its turn.</summary>
    Waiting,

    /// <summary>A person stopped the incident; nothing ran.</summary>
    Stopped,

    /// <summary>A person does it, and has not said yet what became of it.</summary>
    AwaitsPerson,
    Failed,

    /// <summary>An attempt failed, and more are allowed.</summary>
    AttemptFailed,

    /// <summary>It cannot be repeated, and whether it happened is not known.</summary>
    Unknown,
}

/// <summary>How far a phase came.</summary>
/// <param name="Step">The step that it has come to; null when all are done.</param>
/// <param name="Result">Why it went no further; done where its time was up before that step.</param>
public sealed record PhaseResult(string? Step, StepResult Result)
{
    public static readonly PhaseResult Done = new(null, new StepResult(StepOutcome.Done, ""));
}
