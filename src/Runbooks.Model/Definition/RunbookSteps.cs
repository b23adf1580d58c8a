using System.Text.Json;

namespace Runbooks.Model.Definition;

/// <param name="Name">Unique in the runbook.</param>
/// <param name="Check">The name of the registered check.</param>
/// <param name="With">A JSON object whose strings may be templates.</param>
/// <param name="Timeout">After this time without an answer the finding is unknown.</param>
public sealed record CheckSpec(string Name, string Ask, string Check, JsonElement With, TimeSpan Timeout)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(10);
}

/// <param name="Name">Unique in the runbook. Outputs are read as <c>steps.{name}.{output}</c>.</param>
/// <param name="Do">The name of the registered action.</param>
/// <param name="With">A JSON object whose strings may be templates.</param>
/// <param name="Timeout">The longest time for one attempt.</param>
/// <param name="Retry">Only for a repeatable action.</param>
public sealed record StepSpec(string Name, string Do, JsonElement With, TimeSpan Timeout, StepRetry Retry)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(5);

    /// <summary><c>functionTimeout</c> in host.json is longer, so that a host does not cut off such a step.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(2);

    /// <summary>The longest look at one step. One activity looks at all steps of a plan.</summary>
    public static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(2);

    [JsonIgnore]
    public TimeSpan LookTimeout => Timeout < LongestLook ? Timeout : LongestLook;
}

/// <summary>All attempts of one step, with the pause before the second. Later pauses double.</summary>
public sealed record StepRetry(int Attempts, TimeSpan Delay)
{
    public static readonly StepRetry Default = new(3, TimeSpan.FromSeconds(5));
}

/// <param name="Checks">Empty means every check of the diagnosis.</param>
public sealed record Condition(Quantifier Quantifier, IReadOnlyList<string> Checks)
{
    public static readonly Condition AnyCheck = new(Quantifier.Any, []);

    public bool Asks(string check) => Checks.Count == 0 || Checks.Contains(check);
}

public enum Quantifier { Any, All }

public sealed record Mitigation
{
    public Condition When { get; init; } = Condition.AnyCheck;

    /// <summary>
    /// Checks that have to pass for the steps to help, such as that the stand-in answers. While one does not, nothing runs without a
    /// person's approval.
    /// </summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Null if there are none.</summary>
    [JsonIgnore]
    public string? Reliance =>
        Needs.Count == 0 ? null : $"Relies on {string.Join(", ", Needs)}: where that does not pass, nothing is changed without a yes.";

    /// <summary>Null: the runbook heals by itself and reports afterwards.</summary>
    public Approval? Approval { get; init; }

    public IReadOnlyList<StepSpec> Steps { get; init; } = [];

    /// <summary>Null only if there are no checks to ask.</summary>
    public Verify? Verify { get; init; }

    /// <summary>Set if the mitigation is temporary: it is undone once the cause is gone.</summary>
    public Hold? HoldUntil { get; init; }
}

public sealed record Resolution
{
    /// <summary>Null: the mitigation's approval covers these steps too.</summary>
    public Approval? Approval { get; init; }

    public IReadOnlyList<StepSpec> Steps { get; init; } = [];
}

/// <param name="Checks">All must pass.</param>
/// <param name="Every">Pause between rounds.</param>
/// <param name="Within">After this time without a pass the fix has failed.</param>
/// <param name="SuccessThreshold">How many rounds in a row have to pass, each <paramref name="Every"/> after the one before. One in older
/// histories, which lack it.</param>
public sealed record Verify(IReadOnlyList<string> Checks, TimeSpan Every, TimeSpan Within, int SuccessThreshold = 1)
{
    /// <summary>One round may pass by chance.</summary>
    public const int DefaultSuccessThreshold = 2;
    public const int LargestSuccessThreshold = 20;

    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan DefaultWithin = TimeSpan.FromMinutes(5);

    /// <summary>How late a round may be while the host is up.</summary>
    internal static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    /// <summary>With a longer pause between two rounds, nobody knows what happened in between.</summary>
    [JsonIgnore]
    public TimeSpan LongestGap => (2 * Every) + Late;
}

/// <summary>A temporary mitigation, which is undone when the cause has been gone for a while.</summary>
/// <param name="Checks">All must pass.</param>
/// <param name="StableFor">They have to pass for this long without a break.</param>
/// <param name="AtMost">If they still do not pass after this time, a person is paged. The fix stays in place.</param>
/// <param name="Every">Pause between rounds.</param>
public sealed record Hold(IReadOnlyList<string> Checks, TimeSpan StableFor, TimeSpan AtMost, TimeSpan Every)
{
    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="Verify.LongestGap"/>
    [JsonIgnore]
    public TimeSpan LongestGap => (2 * Every) + (StableFor / 2 < Verify.Late ? StableFor / 2 : Verify.Late);
}
