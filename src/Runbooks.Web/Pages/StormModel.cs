using Runbooks.Model.Definition;
using Runbooks.Notifications.Storms;

namespace Runbooks.Web.Pages;

/// <param name="Notice">The result of what was just sent; null when the page was only opened.</param>
public sealed record StormModel(string Link, string Person, IReadOnlyList<StormGroup> Groups, string? Notice, bool Good, DateTimeOffset Now)
{
    public const string TicketField = "ticket";

    public int Waiting { get; } = Groups.Sum(group => group.Waiting.Count);

    /// <summary>How many that no longer wait are read for one page.</summary>
    public const int MaxOthers = 100;

    /// <summary>There may be more that no longer wait than were read for this page.</summary>
    public bool IsCut { get; } =
        Groups.SelectMany(group => group.Rows).Count(row => row.Incident.State != IncidentState.AwaitingApproval) >= MaxOthers
        || Groups.Sum(group => group.Rows.Count) >= StormMembers.MaxMembers;

    /// <summary>There may be more that wait. They are read first, and the others only as far as there is room.</summary>
    public bool WaitingIsCut { get; } = Groups
        .SelectMany(group => group.Rows)
        .Count(row => row.Incident.State == IncidentState.AwaitingApproval) >= StormMembers.MaxMembers;

    /// <summary>All that wait need other people: the reader can say yes to none.</summary>
    public bool WaitsForOthers { get; } = Groups.SelectMany(group => group.Waiting).All(row => row.NeedsOthers);

    public bool DryRun { get; } = Groups.All(group => group.DryRun);

    public IReadOnlyList<StormRow> Others { get; } = [.. Groups.SelectMany(group => group.Others).Where(row => !row.AsksForWork)];

    public IReadOnlyList<StormRow> Work { get; } = [.. Groups.SelectMany(group => group.Others).Where(row => row.AsksForWork)];
}

public sealed record StormGroup(Runbook Runbook, IReadOnlyList<StormRow> Rows, StormTicks Ticks, int MaxShown)
{
    /// <summary>More would load slowly on a phone. The rest come up as these are decided.</summary>
    private const int MaxOnPage = 80;

    public string Id => $"storm-{Runbook.Id}";

    public IReadOnlyList<StormRow> Waiting { get; } = [.. Rows.Where(row => row.Ticket is not null)];

    public IReadOnlyList<StormRow> Others { get; } = [.. Rows.Where(row => row.Ticket is null)];

    public IReadOnlyList<StormRow> Shown { get; } =
        [.. Rows.Where(row => row.Ticket is not null).OrderByDescending(row => row.NeedsAttention).Take(MaxShown)];

    public bool DryRun { get; } = Rows.All(row => row.Incident.Mode == RunMode.DryRun);

    public Gate? FirstToExpire => Waiting.Select(row => row.Gate).MinBy(gate => gate.ExpiresAt);

    public IReadOnlyList<string> Silence => SilenceText.Of([.. Waiting.Select(row => (Runbook.Title, row.Gate))]);

    /// <summary>Who has to approve, where that is the same for all that wait; null where each row says it.</summary>
    public string? Needed => Waiting.Select(row => GateText.Needed(row.Gate)).Distinct().ToList() is [var one] ? one : null;

    /// <summary>Where it is so for all that wait; empty where each row says it.</summary>
    public string NoIsRemembered =>
        Waiting.Select(row => StopText.NoIsRemembered(row.Incident)).Distinct().ToList() is [var one] ? one : "";

    /// <summary>What a yes does for these, which is nothing where others have to approve too; null where it would count for none.</summary>
    public string? Yes
    {
        get
        {
            if (Waiting.All(row => row.NeedsOthers))
            {
                return null;
            }

            if (Waiting.All(row => row.Guards.Count > 0))
            {
                return "not taken at the moment";
            }

            if (Waiting.All(row => row.IsEnough))
            {
                return $"{Run} it on each that is ticked";
            }

            return Waiting.Any(row => row.MayBeEnough)
                ? "your yes counts for each that is ticked; "
                    + $"where no other is needed, the steps {(DryRun ? "are rehearsed" : "run")}"
                : "your yes counts for each that is ticked; others have to approve too";
        }
    }

    public IEnumerable<string> WhyNoYes => Waiting.Select(row => row.WhyNoYes).OfType<string>().Distinct();

    private string Run => DryRun ? "rehearse" : "run";

    public string No => Waiting.Select(row => GateText.WithoutApproval(row.Gate)).Distinct().ToList() is [var one]
        ? one
        : "the steps do not run on these";

    public int Ticked => Shown.Count(IsTicked);

    /// <summary>Findings that are the same on all of them, with the oldest of the answers.</summary>
    public IReadOnlyList<Finding> Shared { get; } = SharedOf([.. Rows.Where(row => row.Ticket is not null)]);

    public IReadOnlyList<string> Guards { get; } =
    [
        .. Rows.Where(row => row.Ticket is not null)
            .Select(row => row.Guards)
            .DefaultIfEmpty([])
            .Aggregate((common, guards) => [.. common.Intersect(guards)]),
    ];

    public string? TrackRecord => Waiting.Select(row => row.Gate.TrackRecord).Distinct().ToList() is [var one] ? one : null;

    /// <summary>The steps, where they are the same, word for word, on all of them; null where they differ.</summary>
    public Plan? SharedPlan { get; } = Rows
        .Where(row => row.Ticket is not null)
        .Select(row => row.Gate.Plan)
        .DistinctBy(WordsOf)
        .ToList() is [var one] ? one : null;

    private static string WordsOf(Plan plan) => string.Join('\n', plan.Steps.Select(step => $"{step.PlannedEffect}\t{step.Undo}"));

    public bool IsTicked(StormRow row) => Ticks switch
    {
        StormTicks.All => true,
        StormTicks.None => false,
        _ => !row.NeedsAttention,
    };

    public IEnumerable<Finding> Own(StormRow row) => row.Telling.Where(finding => !Shared.Any(shared => IsSame(shared, finding)));

    public IEnumerable<string> OwnGuards(StormRow row) => row.Guards.Except(Guards);

    /// <summary>Gives each group its share of the page, and what a small one does not need to the others.</summary>
    public static IReadOnlyList<StormGroup> Fit(IEnumerable<StormGroup> groups)
    {
        var smallestFirst = groups.OrderBy(group => group.Waiting.Count).ToList();
        var left = MaxOnPage;
        for (var i = 0; i < smallestFirst.Count; i++)
        {
            var group = smallestFirst[i];
            var shown = Math.Min(group.Waiting.Count, left / (smallestFirst.Count - i));
            smallestFirst[i] = new(group.Runbook, group.Rows, group.Ticks, shown);
            left -= shown;
        }

        return
        [
            .. smallestFirst
                .OrderByDescending(group => group.Runbook.Impact.Severity)
                .ThenByDescending(group => group.Waiting.Count),
        ];
    }

    private static IReadOnlyList<Finding> SharedOf(IReadOnlyList<StormRow> waiting)
    {
        if (waiting.Count < 2)
        {
            return [];
        }

        var everywhere = waiting[0].Telling.Where(finding => waiting.All(row => row.Telling.Any(other => IsSame(finding, other))));
        return [.. everywhere.Select(finding => Oldest(waiting, finding))];
    }

    private static Finding Oldest(IReadOnlyList<StormRow> rows, Finding finding) => rows
        .SelectMany(row => row.Telling)
        .Where(other => IsSame(finding, other))
        .MinBy(other => other.SeenAt)!;

    private static bool IsSame(Finding a, Finding b) =>
        a.Name == b.Name && a.Verdict == b.Verdict && a.Result.Summary == b.Result.Summary;
}

/// <param name="Ticket">Decides its question; null when there is nothing to decide any more.</param>
public sealed record StormRow(Incident Incident, Gate Gate, string? Ticket)
{
    /// <summary>What the newest answers of the checks found wrong, or could not find out.</summary>
    public IEnumerable<Finding> Telling => (Incident.Verification.Count > 0 ? Incident.Verification : Incident.Findings)
        .Where(finding => finding.Verdict != Verdict.Passing);

    /// <summary>Something speaks against it, so it is not ticked for the reader.</summary>
    public bool NeedsAttention =>
        Guards.Count > 0 || Gate.AllWarnings.Count > 0 || Gate.Difference is not null || Incident.News.Count > 0;

    public IReadOnlyList<string> Guards { get; init; } = [];

    /// <summary>Why a yes of the reader would not count; null where it may.</summary>
    public string? WhyNoYes { get; init; }

    public bool NeedsOthers => WhyNoYes is not null;

    /// <summary>The reader's yes is the last one needed, unless it has to come from the owner.</summary>
    public bool MayBeEnough => !NeedsOthers && Gate.Missing <= 1;

    /// <summary>The reader's yes is the last one needed, whoever they are.</summary>
    public bool IsEnough => MayBeEnough && !Gate.IsOwnerMissing;

    public bool AsksForWork { get; init; }

    /// <summary>With the gate, so that a tick is for this question only, and not for a later one on the same target.</summary>
    public string TickId => $"t-{Incident.Id}-{Gate.Id}";

    public static StormRow Of(Incident incident, DateTimeOffset now, Func<Gate, string> ticket)
    {
        var gate = incident.OpenGate ?? incident.LatestGate!;
        var open = gate.Outcome == GateOutcome.Pending && now < gate.ExpiresAt && !incident.State.IsFinal();
        return new(incident, gate, open && gate.Task is null ? ticket(gate) : null)
        {
            AsksForWork = open && gate.Task is not null,
        };
    }
}

public enum StormTicks
{
    Safe,
    All,
    None,
}

public static class StormTicksText
{
    /// <summary>From a link of the page; any other word means <see cref="StormTicks.Safe"/>.</summary>
    public static StormTicks Of(string? word) => word switch
    {
        "all" => StormTicks.All,
        "none" => StormTicks.None,
        _ => StormTicks.Safe,
    };
}
