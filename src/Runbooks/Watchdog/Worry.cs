namespace Runbooks.Watchdog;

/// <summary>What is wrong with one incident, and what helps.</summary>
/// <param name="Key">Names the trouble: the same trouble pages once.</param>
/// <param name="Message">In words, for the page.</param>
internal sealed record Worry(Remedy Remedy, string Key, string Message);

internal enum Remedy
{
    /// <summary>The wake-up was lost: send it again.</summary>
    Wake,

    /// <summary>The engine does not know it: start it. Everything that was done is on record and is not done twice.</summary>
    Start,

    /// <summary>Only a person can help.</summary>
    Page,

    /// <summary>Its workflow is over without an end: page, then close it, so that the next alert opens a new one.</summary>
    Bury,
}
