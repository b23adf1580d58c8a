using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Notifications;

namespace Runbooks.Web.Pages;

/// <summary>The approval page for one recipient.</summary>
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

    /// <summary>Why the question cannot be carried out at the moment.</summary>
    public IReadOnlyList<string> Guards { get; init; } = [];

    public bool DryRun => Incident.Mode == RunMode.DryRun;

    public bool Good => Result?.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded;

    /// <summary>One line about the question; null while it is simply open.</summary>
    public string? Notice => Result?.Message ?? (CanDecide ? null : GateText.Late(Gate, Now));
}

/// <param name="Impact">From its runbook; null when that is no longer kept.</param>
public sealed record ReportModel(Incident Incident, Impact? Impact, DateTimeOffset Now);

public sealed record SafetyModel(
    RunMode Mode,
    KillSwitchState KillSwitch,
    IReadOnlyList<(string Title, RunbookReport Report)> Runbooks,
    DateTimeOffset Now)
{
    /// <summary>What the automation has changed and could take back.</summary>
    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    /// <summary>There are more open incidents than were read.</summary>
    public bool ChangesAreCut { get; init; }

    /// <summary>For each contact that is a schedule: who would be asked now.</summary>
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

    /// <summary>Why the open question cannot be carried out at the moment.</summary>
    public IReadOnlyList<string> Guards { get; init; } = [];

    /// <summary>Why a yes of the person who is signed in would not count; null where it may, and where a name is typed.</summary>
    public string? WhyNoYes { get; init; }

    /// <summary>The question that can be answered now.</summary>
    public Gate? Question => Incident.OpenGate is { } gate && Now < gate.ExpiresAt && !Incident.State.IsFinal() ? gate : null;

    public bool CanStop => !Incident.State.IsFinal() && Incident.Stop is null;

    public bool CanRetry => Incident.MakesRoom() && Incident.RetriedAs is null;

    public bool CanNote => Incident.Timeline.Count(line => line.Kind == TimelineKind.Note) < Incident.MaxNotes;
}

/// <param name="Recent">Its latest incidents, the newest first.</param>
/// <param name="Refusal">Why it was not started; null when nobody tried.</param>
public sealed record RunbookModel(
    Runbook Runbook,
    StepCatalog Steps,
    RunbookReport Report,
    IReadOnlyList<IncidentSummary> Recent,
    Visitor Visitor,
    string? Refusal,
    DateTimeOffset Now)
{
    /// <summary>The prefix of the form's fields for labels.</summary>
    public const string LabelField = "label.";

    /// <summary>The labels as they were typed, to be corrected.</summary>
    public IReadOnlyDictionary<string, string> Given { get; init; } = new Dictionary<string, string>();

    public string Address => $"/runbooks/{Uri.EscapeDataString(Runbook.Id)}";

    /// <summary>How far it may go by itself on this host.</summary>
    public RunMode Mode { get; init; }

    /// <summary>What the steps of a phase do where nobody is asked about them.</summary>
    public string WithoutAsking(Phase phase)
    {
        var steps = Runbook.StepsOf(phase);
        if (Mode == RunMode.DryRun && Steps.ChangeSomething(steps))
        {
            return "Rehearses without asking.";
        }

        return WithoutActing(Steps, steps)
            ?? (Mode == RunMode.ApproveAll ? "Asks all the same, since everything is asked about here." : "Acts without asking.");
    }

    /// <summary>The same for steps that do not act by themselves; null where one of them does.</summary>
    public static string? WithoutActing(StepCatalog steps, IReadOnlyCollection<StepSpec> specs) =>
        steps.ActByThemselves(specs) ? null
        : steps.ChangeSomething(specs) ? "Asks for each step that is done by hand."
        : "Tells people, and changes nothing.";

    /// <summary>Whether a runbook asks, in a few words for lists.</summary>
    /// <param name="most">How far this host lets runbooks go.</param>
    public static string Asks(Runbook runbook, StepCatalog steps, RunMode most)
    {
        var mode = RunModes.Stricter(runbook.Mode, most);
        var unasked = runbook.CoveredBy(Phase.Mitigation).Select(covered => covered.Step).ToList();
        var rehearses = mode == RunMode.DryRun;
        var acts = steps.ActByThemselves(unasked);
        var asksFirst = runbook.Mitigation.Approval is not null || unasked.Count == 0 || (acts && mode == RunMode.ApproveAll);
        var asks = asksFirst ? AsksFirst : AsksLater(runbook, acts, rehearses);
        return rehearses ? $"dry run, {asks}" : asks;
    }

    private static string AsksLater(Runbook runbook, bool acts, bool rehearses)
    {
        if (runbook.Resolution.Approval is not null)
        {
            return acts && !rehearses ? "acts, then asks for the resolution" : "asks for the resolution";
        }

        // A dry run asks for approvals, but not for work by hand.
        var byHand = ManualAction.IsIn(runbook);
        if (byHand && !rehearses)
        {
            return "asks for what is done by hand";
        }

        return acts || byHand ? "asks nobody" : "only tells";
    }

    /// <summary>What most runbooks do.</summary>
    public const string AsksFirst = "asks first";

    /// <summary>How long there is time for an answer, and what happens then. Where everything is asked about, silence is never a yes.</summary>
    public string AfterTimeout(Phase phase, Approval approval) =>
        $"After {DurationText.Format(approval.Timeout)} without a decision {Silence(phase, approval.OnTimeout)}.";

    private string Silence(Phase phase, OnTimeout onTimeout)
    {
        var mayProceed = Mode != RunMode.ApproveAll || !Steps.ChangeSomething(Runbook.StepsOf(phase));
        return onTimeout switch
        {
            OnTimeout.ProceedIfReversible when mayProceed =>
                $"the steps {(Mode == RunMode.DryRun ? "are rehearsed" : "run")} all the same, "
                + "if what they change can be undone and nothing speaks against it",
            OnTimeout.Escalate => "the fallback contact is asked",
            _ => phase == Phase.Resolution ? "the resolution does not run" : "nothing is done",
        };
    }

    /// <summary>The labels in its text. Without those of the target it cannot start.</summary>
    public IReadOnlyList<(string Name, bool Needed)> Labels { get; } = LabelsOf(Runbook);

    public static IReadOnlyList<(string Name, bool Needed)> LabelsOf(Runbook runbook)
    {
        var target = In(runbook.Target).ToHashSet(StringComparer.Ordinal);
        var others = runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.AllSteps().Select(planned => planned.Step.With))
            .SelectMany(Template.TextsOf)
            .Concat([runbook.Mitigation.Approval?.Ask ?? "", runbook.Resolution.Approval?.Ask ?? ""])
            .SelectMany(In);
        var optional = others.Distinct().Where(name => !target.Contains(name));
        return [.. target.Select(name => (name, true)), .. optional.Select(name => (name, false))];
    }

    private static IEnumerable<string> In(string text) =>
        Template.Parse(text).Placeholders
            .Where(placeholder => placeholder.Root == PlaceholderRoot.Labels)
            .Select(placeholder => placeholder.Key);

    public string Line(CheckSpec check) => Line(check.With, Steps.FindCheck(check.Check)!.ParametersType);

    public string Line(StepSpec step) => Line(step.With, Steps.FindAction(step.Do)!.ParametersType);

    /// <summary>Parameters on one line, as in the file but with secrets masked.</summary>
    private static string Line(JsonElement with, Type type) =>
        string.Join(", ", ParameterMask.Mask(with, type).Select(pair => $"{pair.Key}: {ValueText(pair.Value)}"));

    private static string ValueText(JsonNode? value) => value is JsonValue scalar ? scalar.ToString() : value?.ToJsonString() ?? "null";
}

/// <summary>States in the words of the outside contract.</summary>
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

    /// <summary>The parts of one day's column, from the ground up.</summary>
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

/// <summary>Times from the opening on.</summary>
/// <param name="Count">How many incidents came that far.</param>
/// <param name="Ninety">Nine of ten took no longer.</param>
public sealed record TimeTaken(string What, string Meaning, int Count, TimeSpan? Median, TimeSpan? Ninety)
{
    public static TimeTaken Of(
        string what,
        string meaning,
        IEnumerable<IncidentSummary> incidents,
        Func<IncidentSummary, DateTimeOffset?> until)
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
