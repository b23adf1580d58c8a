namespace Runbooks.Storage;

/// <summary>When a turn that one of several hosts has taken, on record for all of them, is over.</summary>
public static class TurnEnd
{
    /// <summary>Whether a turn that lasts until then is not over. Until later than anybody may have it is what a clock that was ahead has left.</summary>
    /// <param name="until">Null where nobody has it.</param>
    /// <param name="longest">For how long anybody may have it.</param>
    public static bool IsAhead(DateTimeOffset? until, TimeSpan longest, DateTimeOffset now) => until > now && until <= now + (longest * 2);
}
