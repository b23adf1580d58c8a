namespace Runbooks.Model.Incidents;

/// <summary>
/// What a clock that was ahead has left in the record: a machine is resumed, writes down tomorrow's time, and is set right a minute
/// later. Such a time says nothing about when it was.
/// </summary>
public static class Clocks
{
    /// <summary>Clocks of two machines may differ by so much.</summary>
    private static readonly TimeSpan s_mayDiffer = TimeSpan.FromMinutes(1);

    public static bool IsAhead(DateTimeOffset? at, DateTimeOffset now) => at > now + s_mayDiffer;

    /// <summary>The latest of what is not ahead. Where all of them are, it may have been at any time: it counts as long ago.</summary>
    /// <returns>Null where there is none.</returns>
    public static DateTimeOffset? Latest(IEnumerable<DateTimeOffset?> times, DateTimeOffset now)
    {
        var known = times.OfType<DateTimeOffset>().ToList();
        return known.Count == 0 ? null : known.Where(at => !IsAhead(at, now)).Append(DateTimeOffset.MinValue).Max();
    }
}

/// <summary>When a turn that one of several hosts has taken, on record for all of them, is over.</summary>
public static class TurnEnd
{
    /// <summary>Whether a turn that lasts until then is not over. Until later than anybody may have it is what a clock that was ahead has left.</summary>
    /// <param name="until">Null where nobody has it.</param>
    /// <param name="longest">For how long anybody may have it.</param>
    public static bool IsAhead(DateTimeOffset? until, TimeSpan longest, DateTimeOffset now) => until > now && until <= now + (longest * 2);
}
