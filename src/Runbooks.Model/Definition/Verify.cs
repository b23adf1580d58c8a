namespace Runbooks.Model.Definition;

/// <summary>The checks that must pass before a fix counts.</summary>
/// <param name="Checks">Names of diagnosis checks; all must pass.</param>
/// <param name="Every">Pause between rounds.</param>
/// <param name="Within">After this long without a pass the fix has failed.</param>
public sealed record Verify(IReadOnlyList<string> Checks, TimeSpan Every, TimeSpan Within)
{
    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan DefaultWithin = TimeSpan.FromMinutes(5);
}

/// <summary>A lease: the mitigation is reverted when the cause has been gone for a while.</summary>
/// <param name="Checks">Names of diagnosis checks; all must pass.</param>
/// <param name="StableFor">They have to pass for this long without a break.</param>
/// <param name="AtMost">When they still do not after this long, a person is paged; the lease stays.</param>
/// <param name="Every">Pause between looks.</param>
public sealed record Hold(IReadOnlyList<string> Checks, TimeSpan StableFor, TimeSpan AtMost, TimeSpan Every)
{
    public static readonly TimeSpan DefaultEvery = TimeSpan.FromSeconds(30);
}
