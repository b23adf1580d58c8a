namespace Runbooks.Web.Pages;

/// <summary>How often incidents opened, how they ended, and how long people and automation took. Dry runs do not count.</summary>
/// <param name="Days">The oldest first.</param>
/// <param name="Cut">There were too many incidents to count all, so the oldest days are incomplete.</param>
public sealed record StatisticsModel(IReadOnlyList<DayCount> Days, IReadOnlyList<TimeTaken> Times, bool Cut, DateTimeOffset At)
{
    public const int DaysShown = 14;

    public static readonly IReadOnlyList<string> Groups =
    [
        "Resolved",
        "Told or not verified",
        "Nothing done",
        "Ended by a person",
        "Failed or unanswered",
        "Open",
    ];

    private const double Bottom = 150;
    private const double High = 12;

    public int Most { get; } = Math.Max(1, Days.Select(day => day.Total).DefaultIfEmpty().Max());

    public static StatisticsModel Of(IReadOnlyList<IncidentSummary> incidents, bool cut, DateTimeOffset now)
    {
        incidents = [.. incidents.Where(incident => !incident.IsDryRun)];
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var byDay = incidents.ToLookup(incident => DateOnly.FromDateTime(incident.OpenedAt.UtcDateTime));
        var days = Enumerable.Range(0, DaysShown)
            .Select(back => today.AddDays(back - DaysShown + 1))
            .Select(day => new DayCount(day, CountsOf([.. byDay[day]])));
        return new(
            [.. days],
            [
                TimeTaken.Of(
                    "acknowledge",
                    "until a person first answered, stopped or acknowledged it",
                    incidents,
                    incident => incident.FirstResponseAt),
                TimeTaken.Of("mitigate", "until the checks first passed after it had acted", incidents, incident => incident.MitigatedAt),
                TimeTaken.Of(
                    "resolve",
                    "until it ended with a fix that was verified, or that lasted until the cause was gone",
                    incidents,
                    incident => incident.IsFixed ? incident.EndedAt : null),
            ],
            cut, now);
    }

    private static IReadOnlyList<int> CountsOf(IReadOnlyList<IncidentSummary> incidents) =>
        [.. Enumerable.Range(0, Groups.Count).Select(group => incidents.Count(incident => GroupOf(incident) == group))];

    private static int GroupOf(IncidentSummary incident) => incident.State switch
    {
        IncidentState.Resolved => incident.IsFixed ? 0 : 1,
        IncidentState.NotNeeded or IncidentState.SelfRecovered => 2,
        IncidentState.Rejected or IncidentState.TakenOver or IncidentState.Cancelled => 3,
        IncidentState.Failed or IncidentState.Expired => 4,
        _ => 5,
    };

    public IEnumerable<(int Group, string Y, string Height)> Parts(DayCount day)
    {
        var below = 0;
        for (var group = 0; group < Groups.Count; group++)
        {
            var count = day.ByGroup[group];
            if (count > 0)
            {
                below += count;
                var y = Bottom - (below * (Bottom - High) / Most);
                yield return (group, GraphShape.Number(y), GraphShape.Number(count * (Bottom - High) / Most));
            }
        }
    }
}

/// <summary>Incidents that opened on one day (UTC), by how they ended.</summary>
public sealed record DayCount(DateOnly Day, IReadOnlyList<int> ByGroup)
{
    public int Total => ByGroup.Sum();
}

/// <param name="Ninety">Nine of ten took no longer.</param>
public sealed record TimeTaken(string What, string Meaning, int Count, TimeSpan? Median, TimeSpan? Ninety)
{
    public static TimeTaken Of(
        string what, string meaning, IEnumerable<IncidentSummary> incidents, Func<IncidentSummary, DateTimeOffset?> until)
    {
        var took = incidents
            .Where(incident => until(incident) >= incident.OpenedAt)
            .Select(incident => until(incident)!.Value - incident.OpenedAt)
            .Order()
            .ToList();
        return new(what, meaning, took.Count, At(0.5), At(0.9));

        TimeSpan? At(double share)
        {
            if (took.Count == 0)
            {
                return null;
            }

            var at = took[(int)Math.Ceiling(share * took.Count) - 1];
            return TimeSpan.FromSeconds(Math.Round(at.TotalSeconds));
        }
    }
}
