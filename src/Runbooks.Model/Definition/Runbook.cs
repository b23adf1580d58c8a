using System.Collections.Frozen;

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

    /// <summary>In whose folder it lies; empty where it is nobody's in particular. Contacts of the team stand as <c>team.name</c>.</summary>
    public string Team { get; init; } = "";

    /// <summary>The contact that hears of what reached nobody else: the team's, where it has one.</summary>
    public string Fallback { get; init; } = Approval.FallbackContact;

    /// <summary>The runbook applies when one of these fires.</summary>
    public required IReadOnlyList<Trigger> Trigger { get; init; }

    /// <summary>What one incident is about, as a template; two alerts with the same target are one incident.</summary>
    public required string Target { get; init; }

    /// <summary>Another runbook whose open incident covers this one's; null when none does.</summary>
    public SuppressedBy? SuppressedBy { get; init; }

    public required Impact Impact { get; init; }

    /// <summary>The questions, in the file's order; all are asked at once.</summary>
    public IReadOnlyList<CheckSpec> Diagnosis { get; init; } = [];

    public required Mitigation Mitigation { get; init; }
    public Resolution Resolution { get; init; } = new();
    public Limits Limits { get; init; } = new();

    /// <summary>Contacts who get a report of each incident when it has ended, whoever was asked.</summary>
    public IReadOnlyList<string> ReportTo { get; init; } = [];

    public RunMode Mode { get; init; } = RunMode.Normal;

    /// <summary>The text files beside it that its steps name, by their path from there.</summary>
    public IReadOnlyDictionary<string, string> Samples { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>SHA-256 over the file's content, and that of the files it names; lower-case hex.</summary>
    public string Hash { get; init; } = "";

    /// <summary>How it came to be in force; null for plain files. No part of the version: the same text may be published again.</summary>
    [JsonIgnore]
    public Publication? Publication { get; init; }

    /// <summary>How long alerts after its end belong to an incident: only where there are checks that tell whether the fix holds.</summary>
    [JsonIgnore]
    public TimeSpan SettlesFor => Mitigation.Verify is null ? TimeSpan.Zero : Limits.SettleFor;

    public CheckSpec? FindCheck(string name) => Diagnosis.FirstOrDefault(check => check.Name == name);

    public StepSpec? FindStep(Phase phase, string name) => StepsOf(phase).FirstOrDefault(step => step.Name == name);

    public IReadOnlyList<StepSpec> StepsOf(Phase phase) => phase == Phase.Mitigation ? Mitigation.Steps : Resolution.Steps;

    /// <summary>Those of both phases, in the order in which they run.</summary>
    public IEnumerable<(Phase Phase, StepSpec Step)> AllSteps() =>
        Mitigation.Steps.Select(step => (Phase.Mitigation, step)).Concat(Resolution.Steps.Select(step => (Phase.Resolution, step)));

    /// <summary>The steps that run on a phase's yes: a resolution without an approval of its own runs on the mitigation's.</summary>
    public IEnumerable<(Phase Phase, StepSpec Step)> CoveredBy(Phase phase) =>
        AllSteps().Where(one => one.Phase == phase || (phase == Phase.Mitigation && Resolution.Approval is null));

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

public static class RunModes
{
    /// <summary>The stricter of two: a dry run touches nothing, whoever else would allow it.</summary>
    public static RunMode Stricter(RunMode a, RunMode b) => a > b ? a : b;
}

/// <summary>One way for a runbook to start. Every given part has to match.</summary>
/// <param name="Source">The sender's kind, exact; null for any.</param>
/// <param name="Alert">Exact name, or a glob with <c>*</c> and <c>?</c>.</param>
/// <param name="Severity">Any of these, ignoring case; empty for every severity.</param>
/// <param name="Labels">Each label's value, exact or a glob.</param>
public sealed record Trigger(
    string? Source,
    string Alert,
    IReadOnlyList<string> Severity,
    IReadOnlyDictionary<string, string> Labels);

/// <summary>While an incident of that runbook is open on that target, an incident of this one waits and asks nobody.</summary>
/// <param name="Runbook">The other runbook's id.</param>
/// <param name="Target">The other incident's target, as a template over this one's alert.</param>
/// <param name="AtMost">It waits no longer than this, counted from its opening.</param>
public sealed record SuppressedBy(string Runbook, string Target, TimeSpan AtMost)
{
    public static readonly TimeSpan DefaultAtMost = TimeSpan.FromHours(1);
}

/// <summary>What it means for people while it is broken; shown first on every card.</summary>
public sealed record Impact(ImpactSeverity Severity, string Users, string Data);

public enum ImpactSeverity { Low, Medium, High, Critical }

/// <summary>How often a runbook may act. They hold at the moment a step is about to run.</summary>
public sealed record Limits
{
    /// <summary>No limit looks back further.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>Two rounds of what usually collects metrics once a minute.</summary>
    public static readonly TimeSpan DefaultHealthyFor = TimeSpan.FromMinutes(2);
    public static readonly TimeSpan LongestHealthyFor = TimeSpan.FromHours(1);

    /// <summary>Runs on one target within <see cref="Per"/>; null for no limit.</summary>
    public int? MaxRuns { get; init; }

    public TimeSpan Per { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The pause between two runs on one target.</summary>
    public TimeSpan CoolDown { get; init; }

    /// <summary>After a verified fix, alerts on the target within this time belong to the closed incident.</summary>
    public TimeSpan SettleFor { get; init; }

    /// <summary>How long the checks must not call for the mitigation before an incident ends as not needed: alerts lead and lag what checks measure.</summary>
    public TimeSpan HealthyFor { get; init; } = DefaultHealthyFor;

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

/// <summary>Who is asked before a phase acts, and what happens when nobody answers.</summary>
public sealed record Approval
{
    /// <summary>The contact that hears of everything that reached nobody else.</summary>
    public const string FallbackContact = "fallback";

    /// <summary>Whether it is that contact, or the one that a team has in its place.</summary>
    public static bool IsLastInLine(string contact) =>
        string.Equals(contact, FallbackContact, StringComparison.OrdinalIgnoreCase) || contact.EndsWith($".{FallbackContact}", StringComparison.OrdinalIgnoreCase);

    /// <summary>The question on the card, as a template.</summary>
    public required string Ask { get; init; }

    /// <summary>Contacts that are asked and may decide.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>How many distinct people have to say yes.</summary>
    public int Required { get; init; } = 1;

    /// <summary>Whoever started the incident by hand may not be the only one to approve it.</summary>
    public bool SeparationOfDuties { get; init; }

    /// <summary>Somebody of the runbook's owner has to be among those who say yes.</summary>
    public bool OwnerRequired { get; init; }

    public TimeSpan? RemindAfter { get; init; }

    public IReadOnlyList<Escalation> Escalate { get; init; } = [];

    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(20);

    public OnTimeout OnTimeout { get; init; } = OnTimeout.Abort;
}

/// <summary>After this long without a decision these contacts are asked as well, and may decide.</summary>
public sealed record Escalation(TimeSpan After, IReadOnlyList<string> To);

/// <summary>What an unanswered gate does.</summary>
public enum OnTimeout
{
    /// <summary>Nothing runs; the incident expires and the fallback contact is told.</summary>
    Abort,

    /// <summary>The steps run when this program takes every one of them back and no warning stood against them; otherwise as <see cref="Abort"/>.</summary>
    ProceedIfReversible,

    /// <summary>The fallback contact is asked, for one more timeout; then as <see cref="Abort"/>.</summary>
    Escalate,
}
