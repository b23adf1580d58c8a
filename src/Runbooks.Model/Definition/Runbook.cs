using System.Collections.Frozen;

namespace Runbooks.Model.Definition;

/// <summary>An incident stays with the version that it started with, by <see cref="Hash"/>.</summary>
public sealed record Runbook
{
    public required string Id { get; init; }
    public required string Title { get; init; }
    public string Summary { get; init; } = "";
    public string Owner { get; init; } = "";

    /// <summary>The team of its folder; empty for none. The team's contacts are named <c>team.name</c>.</summary>
    public string Team { get; init; } = "";

    /// <summary>The contact that is told when nobody else was reached: the team's own if it has one.</summary>
    public string Fallback { get; init; } = Approval.FallbackContact;

    /// <summary>Any of these starts it.</summary>
    public required IReadOnlyList<Trigger> Trigger { get; init; }

    /// <summary>A template. Two alerts with the same target are one incident.</summary>
    public required string Target { get; init; }

    /// <summary>Null if no other runbook suppresses this one.</summary>
    public SuppressedBy? SuppressedBy { get; init; }

    public required Impact Impact { get; init; }

    /// <summary>In the file's order. All are asked at once.</summary>
    public IReadOnlyList<CheckSpec> Diagnosis { get; init; } = [];

    public required Mitigation Mitigation { get; init; }
    public Resolution Resolution { get; init; } = new();
    public Limits Limits { get; init; } = new();

    /// <summary>These get a report of each ended incident, whether or not they were asked.</summary>
    public IReadOnlyList<string> ReportTo { get; init; } = [];

    public RunMode Mode { get; init; } = RunMode.Normal;

    /// <summary>The text files beside it that its steps name, by relative path.</summary>
    public IReadOnlyDictionary<string, string> Samples { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>SHA-256 over the content of the file and of the files that it names; lower-case hex.</summary>
    public string Hash { get; init; } = "";

    /// <summary>Null for plain files. Not part of the version, since the same text may be published again.</summary>
    [JsonIgnore]
    public Publication? Publication { get; init; }

    /// <summary>How long alerts after the end belong to the incident. Zero without checks that verify the fix.</summary>
    [JsonIgnore]
    public TimeSpan SettlesFor => Mitigation.Verify is null ? TimeSpan.Zero : Limits.SettleFor;

    public CheckSpec? FindCheck(string name) => Diagnosis.FirstOrDefault(check => check.Name == name);

    public StepSpec? FindStep(Phase phase, string name) => StepsOf(phase).FirstOrDefault(step => step.Name == name);

    public IReadOnlyList<StepSpec> StepsOf(Phase phase) => phase == Phase.Mitigation ? Mitigation.Steps : Resolution.Steps;

    /// <summary>In the order in which they run.</summary>
    public IEnumerable<(Phase Phase, StepSpec Step)> AllSteps() =>
        Mitigation.Steps.Select(step => (Phase.Mitigation, step)).Concat(Resolution.Steps.Select(step => (Phase.Resolution, step)));

    /// <summary>A resolution without its own approval runs on the mitigation's.</summary>
    public IEnumerable<(Phase Phase, StepSpec Step)> CoveredBy(Phase phase) =>
        AllSteps().Where(one => one.Phase == phase || (phase == Phase.Mitigation && Resolution.Approval is null));

    public Approval? ApprovalOf(Phase phase) => phase == Phase.Mitigation ? Mitigation.Approval : Resolution.Approval;
}

/// <summary>The two phases that change things.</summary>
public enum Phase { Mitigation, Resolution }

public enum RunMode
{
    /// <summary>As the file says.</summary>
    Normal,

    /// <summary>Every phase that acts asks first, in self-healing runbooks too.</summary>
    ApproveAll,

    /// <summary>The whole flow runs, but nothing outside is touched, and every message says so.</summary>
    DryRun,
}

public static class RunModes
{
    public static RunMode Stricter(RunMode a, RunMode b) => a > b ? a : b;
}

/// <summary>Every part that is given has to match.</summary>
/// <param name="Source">Exact. Null for any.</param>
/// <param name="Alert">Exact, or a glob with <c>*</c> and <c>?</c>.</param>
/// <param name="Severity">Any of these, ignoring case. Empty for every severity.</param>
/// <param name="Labels">Each value exact or a glob.</param>
public sealed record Trigger(
    string? Source, string Alert, IReadOnlyList<string> Severity, IReadOnlyDictionary<string, string> Labels);

/// <summary>While an incident of that runbook is open on that target, an incident of this one waits and asks nobody.</summary>
/// <param name="Target">A template over this incident's alert.</param>
/// <param name="AtMost">The longest wait, counted from this incident's opening.</param>
public sealed record SuppressedBy(string Runbook, string Target, TimeSpan AtMost)
{
    public static readonly TimeSpan DefaultAtMost = TimeSpan.FromHours(1);
}

/// <summary>Shown first on every card.</summary>
public sealed record Impact(ImpactSeverity Severity, string Users, string Data)
{
    [JsonIgnore]
    public IEnumerable<string> Lines => new[] { Users, Data }.Where(line => line.Length > 0);
}

public enum ImpactSeverity { Low, Medium, High, Critical }

/// <summary>Checked when a step is about to run.</summary>
public sealed record Limits
{
    /// <summary>No limit looks back further.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>Two rounds of a collector that measures once a minute, which is usual.</summary>
    public static readonly TimeSpan DefaultHealthyFor = TimeSpan.FromMinutes(2);
    public static readonly TimeSpan LongestHealthyFor = TimeSpan.FromHours(1);

    /// <summary>Runs on one target within <see cref="Per"/>. Null for no limit.</summary>
    public int? MaxRuns { get; init; }

    public TimeSpan Per { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The pause between two runs on one target.</summary>
    public TimeSpan CoolDown { get; init; }

    /// <summary>After a verified fix, alerts on the target within this time belong to the closed incident.</summary>
    public TimeSpan SettleFor { get; init; }

    /// <summary>
    /// How long the checks must not call for the mitigation before an incident ends as not needed. Alerts may be ahead of what checks
    /// measure, or behind it.
    /// </summary>
    public TimeSpan HealthyFor { get; init; } = DefaultHealthyFor;

    /// <summary>Distinct targets that this runbook may act on within <see cref="Per"/>. Null for no limit.</summary>
    public int? MaxTargets { get; init; }

    public WhenExceeded WhenExceeded { get; init; }
}

public enum WhenExceeded
{
    /// <summary>A person may approve all the same. A self-healing runbook asks.</summary>
    Ask,

    /// <summary>Nothing runs, even if a person approves.</summary>
    Forbid,
}

public sealed record Approval
{
    /// <summary>The contact that is told when nobody else was reached.</summary>
    public const string FallbackContact = "fallback";

    public static bool IsLastInLine(string contact) =>
        string.Equals(contact, FallbackContact, StringComparison.OrdinalIgnoreCase)
            || contact.EndsWith($".{FallbackContact}", StringComparison.OrdinalIgnoreCase);

    /// <summary>A template.</summary>
    public required string Ask { get; init; }

    /// <summary>Contacts that are asked and may decide.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>How many different people have to approve.</summary>
    public int Required { get; init; } = 1;

    /// <summary>A person who started the incident by hand may not be its only approver.</summary>
    public bool SeparationOfDuties { get; init; }

    /// <summary>Somebody of the owner has to be among the approvers.</summary>
    public bool OwnerRequired { get; init; }

    public TimeSpan? RemindAfter { get; init; }

    public IReadOnlyList<Escalation> Escalate { get; init; } = [];

    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(20);

    public OnTimeout OnTimeout { get; init; } = OnTimeout.Abort;
}

/// <summary>After this time without a decision these contacts are asked too.</summary>
public sealed record Escalation(TimeSpan After, IReadOnlyList<string> To);

public enum OnTimeout
{
    /// <summary>Nothing runs. The incident expires and the fallback contact is told.</summary>
    Abort,

    /// <summary>The steps run if this program can undo all of them and no warning was shown. Otherwise as <see cref="Abort"/>.</summary>
    ProceedIfReversible,

    /// <summary>The fallback contact is asked, for one more timeout. Then as <see cref="Abort"/>.</summary>
    Escalate,
}
