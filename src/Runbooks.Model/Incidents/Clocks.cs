namespace Runbooks.Model.Incidents;

/// <summary>
/// A clock may have been ahead: a resumed machine writes tomorrow's time and is set right a minute later. Such a time says nothing.
/// </summary>
public static class Clocks
{
    /// <summary>The tolerated difference between two machines' clocks.</summary>
    private static readonly TimeSpan s_mayDiffer = TimeSpan.FromMinutes(1);

    public static bool IsAhead(DateTimeOffset? at, DateTimeOffset now) => at > now + s_mayDiffer;

    /// <summary>The latest time that is not ahead. If all are ahead, it counts as long ago.</summary>
    /// <returns>Null if there are no times.</returns>
    public static DateTimeOffset? Latest(IEnumerable<DateTimeOffset?> times, DateTimeOffset now)
    {
        var known = times.OfType<DateTimeOffset>().ToList();
        return known.Count == 0 ? null : known.Where(at => !IsAhead(at, now)).Append(DateTimeOffset.MinValue).Max();
    }
}

/// <summary>The end of a turn that one of several hosts has taken, as recorded for all of them.</summary>
public static class TurnEnd
{
    /// <summary>An end beyond the longest turn comes from a clock that was ahead and does not count.</summary>
    /// <param name="until">Null if nobody has the turn.</param>
    /// <param name="longest">The longest turn that is allowed.</param>
    public static bool IsAhead(DateTimeOffset? until, TimeSpan longest, DateTimeOffset now) => until > now && until <= now + (longest * 2);
}
