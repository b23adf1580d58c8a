using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
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
