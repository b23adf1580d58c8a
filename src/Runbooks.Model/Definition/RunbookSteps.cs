using System.Text.Json;

namespace Runbooks.Model.Definition;

/// <summary>One diagnosis question of a runbook.</summary>
/// <param name="Name">Unique in the runbook; findings carry it.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Check">The registered check that answers it.</param>
/// <param name="With">Its parameters, a JSON object whose strings may be templates.</param>
/// <param name="Timeout">After this long without an answer the finding is unknown.</param>
public sealed record CheckSpec(string Name, string Ask, string Check, JsonElement With, TimeSpan Timeout)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(10);
}

/// <summary>One step of a phase that acts.</summary>
/// <param name="Name">Unique in the runbook; outputs are read as <c>steps.{name}.{output}</c>.</param>
/// <param name="Do">The registered action.</param>
/// <param name="With">Its parameters, a JSON object whose strings may be templates.</param>
/// <param name="Timeout">The longest one attempt may take.</param>
/// <param name="Retry">How a failed attempt of a repeatable action is tried again.</param>
public sealed record StepSpec(string Name, string Do, JsonElement With, TimeSpan Timeout, StepRetry Retry)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(5);

    /// <summary>A host must not cut off an activity that keeps to this: <c>functionTimeout</c> in host.json is longer.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(2);

    /// <summary>Looking only reads: it has no more than this, however long acting may take. A plan looks at many steps in one activity.</summary>
    public static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(2);

    /// <summary>What looking may take of this step.</summary>
    [JsonIgnore]
    public TimeSpan LookTimeout => Timeout < LongestLook ? Timeout : LongestLook;
}

/// <summary>Attempts of one step, the first included, and the pause before the second; later pauses double.</summary>
public sealed record StepRetry(int Attempts, TimeSpan Delay)
{
    public static readonly StepRetry Default = new(3, TimeSpan.FromSeconds(5));
}

/// <summary>Which failing checks call for the mitigation.</summary>
/// <param name="Quantifier">One of them, or all.</param>
/// <param name="Checks">Names of checks; empty means every check of the diagnosis.</param>
public sealed record Condition(Quantifier Quantifier, IReadOnlyList<string> Checks)
{
    public static readonly Condition AnyCheck = new(Quantifier.Any, []);

    /// <summary>Whether it is about this check; where it names none, it is about each.</summary>
    public bool Asks(string check) => Checks.Count == 0 || Checks.Contains(check);
}

public enum Quantifier { Any, All }

/// <summary>What stops the bleeding.</summary>
public sealed record Mitigation
{
    public Condition When { get; init; } = Condition.AnyCheck;

    /// <summary>Names of checks that have to pass for the steps to help, such as that the stand-in answers. Nothing runs in silence while one does not.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary><see cref="Needs"/> in words; null where there are none.</summary>
    [JsonIgnore]
    public string? Reliance => Needs.Count == 0 ? null : $"Relies on {string.Join(", ", Needs)}: where that does not pass, nothing is changed without a yes.";

    /// <summary>Null: the runbook heals by itself and tells afterwards.</summary>
    public Approval? Approval { get; init; }

    public IReadOnlyList<StepSpec> Steps { get; init; } = [];

    /// <summary>How a fix is known to be a fix. Null only when there are no checks to ask.</summary>
    public Verify? Verify { get; init; }

    /// <summary>Not null: the mitigation is temporary, a lease that is taken back once the cause is gone.</summary>
    public Hold? HoldUntil { get; init; }
}

/// <summary>What fixes the cause once the bleeding has stopped.</summary>
public sealed record Resolution
{
    /// <summary>Null: the steps are part of what the mitigation's approval showed.</summary>
    public Approval? Approval { get; init; }

    public IReadOnlyList<StepSpec> Steps { get; init; } = [];
}

/// <summary>The checks that must pass before a fix counts.</summary>
/// <param name="Checks">Names of diagnosis checks; all must pass.</param>
/// <param name="Every">Pause between rounds.</param>
/// <param name="Within">After this long without a pass the fix has failed.</param>
/// <param name="SuccessThreshold">How many rounds in a row have to pass, each <paramref name="Every"/> after the one before; one in histories that are older than this.</param>
public sealed record Verify(IReadOnlyList<string> Checks, TimeSpan Every, TimeSpan Within, int SuccessThreshold = 1)
{
    /// <summary>One round may meet a lucky moment.</summary>
    public const int DefaultSuccessThreshold = 2;
    public const int LargestSuccessThreshold = 20;

    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan DefaultWithin = TimeSpan.FromMinutes(5);

    /// <summary>What a round may be late by while the host is up.</summary>
    internal static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    /// <summary>Two rounds further apart than this do not show what was in between: nobody looked.</summary>
    [JsonIgnore]
    public TimeSpan LongestGap => (2 * Every) + Late;
}

/// <summary>A lease: the mitigation is taken back when the cause has been gone for a while.</summary>
/// <param name="Checks">Names of diagnosis checks; all must pass.</param>
/// <param name="StableFor">They have to pass for this long without a break.</param>
/// <param name="AtMost">When they still do not after this long, a person is paged; the lease stays.</param>
/// <param name="Every">Pause between rounds.</param>
public sealed record Hold(IReadOnlyList<string> Checks, TimeSpan StableFor, TimeSpan AtMost, TimeSpan Every)
{
    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(30);

    /// <summary>Two rounds further apart than this do not show that the checks passed in between: nobody looked.</summary>
    [JsonIgnore]
    public TimeSpan LongestGap => (2 * Every) + (StableFor / 2 < Verify.Late ? StableFor / 2 : Verify.Late);
}
