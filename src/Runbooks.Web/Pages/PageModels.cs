using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Notifications;

namespace Runbooks.Web.Pages;

/// <param name="Result">The result of the decision that was just sent; null when the page was only opened.</param>
public sealed record ApprovalModel(Incident Incident, Gate Gate, Runbook Runbook, string Recipient, DecisionResult? Result, DateTimeOffset Now)
{
    public bool CanDecide => Gate.Outcome == GateOutcome.Pending
        && Now < Gate.ExpiresAt
        && !Incident.State.IsFinal()
        && (Result is null || MayTryAgain(Result.Status));

    private bool MayTryAgain(DecisionStatus status) => status switch
    {
        DecisionStatus.MoreNeeded or DecisionStatus.HeldBack or DecisionStatus.Incomplete => true,
        DecisionStatus.AlreadyCounted => Gate.Task is not null,
        DecisionStatus.NotAllowed => NeedsName,
        _ => false,
    };

    /// <summary>The link belongs to a room, and a person has to give their name.</summary>
    public bool NeedsName { get; init; }

    /// <summary>Why a yes of the reader would not count; null where it may.</summary>
    public string? WhyNoYes { get; init; }

    public IReadOnlyList<string> Guards { get; init; } = [];

    public bool DryRun => Incident.Mode == RunMode.DryRun;

    public bool Good => Result?.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded;

    public string? Notice => Result?.Message ?? (CanDecide ? null : GateText.Late(Gate, Now));
}

/// <param name="Impact">From its runbook; null when that is no longer kept.</param>
public sealed record ReportModel(Incident Incident, Impact? Impact, DateTimeOffset Now);

public sealed record SafetyModel(
    RunMode Mode, KillSwitchState KillSwitch, IReadOnlyList<(string Title, RunbookReport Report)> Runbooks, DateTimeOffset Now)
{
    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    public bool ChangesAreCut { get; init; }

    public IReadOnlyList<OnCallRecord> OnCall { get; init; } = [];

    /// <summary>The latest first.</summary>
    public IReadOnlyList<RefusedRequest> Refused { get; init; } = [];

    public string ModeText => Mode switch
    {
        RunMode.DryRun => "Dry run: nothing outside is touched, whatever runbooks and people say.",
        RunMode.ApproveAll => "A person says yes to everything that acts, also to runbooks that heal by themselves. "
            + "Those that only tell people ask nobody, unless an assistant proposed them.",
        _ => "Normal: each runbook's own mode counts.",
    };
}

/// <param name="Refusal">Why the request from the page was not done; null when the page was only opened.</param>
public sealed record IncidentModel(Incident Incident, Runbook Runbook, Visitor Visitor, string? Refusal, DateTimeOffset Now)
{
    public string Address => $"/incidents/{Uri.EscapeDataString(Incident.Id)}";

    public IReadOnlyList<string> Guards { get; init; } = [];

    /// <summary>Why a yes of the person who is signed in would not count; null where it may, and where a name is typed.</summary>
    public string? WhyNoYes { get; init; }

    public Gate? Question => Incident.OpenGate is { } gate && Now < gate.ExpiresAt && !Incident.State.IsFinal() ? gate : null;

    public bool CanStop => !Incident.State.IsFinal() && Incident.Stop is null;

    public bool CanRetry => Incident.MakesRoom() && Incident.RetriedAs is null;

    public bool CanNote => Incident.Timeline.Count(line => line.Kind == TimelineKind.Note) < Incident.MaxNotes;
}

internal static class StateText
{
    private static readonly Dictionary<string, IncidentState> s_byWord =
        Enum.GetValues<IncidentState>().ToDictionary(Of, StringComparer.OrdinalIgnoreCase);

    public static string All => string.Join(", ", s_byWord.Keys);

    public static string Filters => $"open, final, {ConsoleFilter.NeedsAPerson}, {All}";

    public static string Of(IncidentState state) => CamelCase.Of(state);

    public static bool TryParse(string word, out IncidentState state) => s_byWord.TryGetValue(word, out state);

    /// <returns>The query with this filter; null when it is not one of <see cref="Filters"/>.</returns>
    public static IncidentQuery? Filter(IncidentQuery query, string word) => word switch
    {
        "open" or "final" => query with { Open = word == "open" },
        ConsoleFilter.NeedsAPerson => query with { LeftToPeople = true },
        _ => TryParse(word, out var state) ? query with { State = state } : null,
    };
}

/// <summary>The person who looks at a page: signed in by the platform, or under a name that forms suggest and that can be changed.</summary>
public sealed record Visitor(SignedInPerson? Person, string? Suggested)
{
    private const int LongestName = 200;

    public static Visitor Of(HttpRequest request, ConsoleOptions options)
    {
        var actor = Actor.Of(request);
        var visitor = actor?.Person is { } person ? new Visitor(person, null) : new(null, NameBesideTheKey(request) ?? options.Name);
        return visitor with { Role = actor?.Role ?? Role.None };
    }

    /// <summary>The page offers only what this role may do.</summary>
    public Role Role { get; init; }

    public bool MayOperate => Role >= Role.Operator;

    /// <summary>A browser that asked for the key asked for a name too.</summary>
    private static string? NameBesideTheKey(HttpRequest request) =>
        AuthorizationHeader.BasicCredentials(request)?.Split(':', 2)[0].Trim() is { Length: > 0 and <= LongestName } name ? name : null;
}

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
