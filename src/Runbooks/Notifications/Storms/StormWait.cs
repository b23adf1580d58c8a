namespace Runbooks.Notifications.Storms;

/// <summary>How long a message that a person has to act on waits for more of the same.</summary>
public static class StormWait
{
    /// <summary>While more comes the message waits, but no longer than this.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    /// <summary>So long without another one, and there is nothing to wait for.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    /// <param name="moments">When each of them came about.</param>
    public static bool IsOver(IEnumerable<DateTimeOffset> moments, DateTimeOffset now) =>
        moments.ToList() is not { Count: > 0 } all || now - all.Max() >= Pause || now - all.Min() >= Longest;
}
