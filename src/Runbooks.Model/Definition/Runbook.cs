namespace Runbooks.Model.Definition;

/// <summary>
/// A validated runbook: the five parts of its anatomy and the limits it keeps. Immutable; an incident is pinned to the
/// version it started with by <see cref="Hash"/>.
/// </summary>
public sealed record Runbook
{
    public required string Id { get; init; }
    public required string Title { get; init; }
    public string Summary { get; init; } = "";
    public string Owner { get; init; } = "";

    /// <summary>The runbook applies when one of these fires.</summary>
    public required IReadOnlyList<Trigger> Trigger { get; init; }

    /// <summary>What one incident is about, as a template; two alerts with the same target are one incident.</summary>
    public required string Target { get; init; }

    public required Impact Impact { get; init; }

    /// <summary>The questions, in the file's order; all are asked at once.</summary>
    public IReadOnlyList<CheckSpec> Diagnosis { get; init; } = [];

    public required Mitigation Mitigation { get; init; }
    public Resolution Resolution { get; init; } = new();
    public Limits Limits { get; init; } = new();
    public RunMode Mode { get; init; } = RunMode.Normal;

    /// <summary>SHA-256 over the file's content, lower-case hex.</summary>
    public string Hash { get; init; } = "";

    public CheckSpec? FindCheck(string name) => Diagnosis.FirstOrDefault(check => check.Name == name);

    public StepSpec? FindStep(Phase phase, string name) => StepsOf(phase).FirstOrDefault(step => step.Name == name);

    public IReadOnlyList<StepSpec> StepsOf(Phase phase) => phase == Phase.Mitigation ? Mitigation.Steps : Resolution.Steps;

    public Approval? ApprovalOf(Phase phase) => phase == Phase.Mitigation ? Mitigation.Approval : Resolution.Approval;
}

/// <summary>The two phases that act.</summary>
public enum Phase { Mitigation, Resolution }

/// <summary>How far a runbook may go on its own.</summary>
public enum RunMode
{
    /// <summary>As the file says.</summary>
    Normal,

    /// <summary>Every phase that acts asks first, self-healing ones too.</summary>
    ApproveAll,

    /// <summary>The whole flow; nothing outside is touched, and every message says so.</summary>
    DryRun,
}
