namespace Runbooks.Model.Incidents;

/// <summary>
/// A question to people that holds back a phase until it is answered. Nothing runs without a gate whose outcome is
/// <see cref="GateOutcome.Approved"/>; a self-healing runbook's gate is approved by the runbook itself, on record.
/// </summary>
public sealed record Gate : Evolving
{
    /// <summary><c>{phase}-{round}</c>: each new question is a new gate.</summary>
    public required string Id { get; init; }
    public required Phase Phase { get; init; }
    public required int Round { get; init; }
    public required string Question { get; init; }
    public required Plan Plan { get; init; }

    /// <summary>What a person is asked to do by hand; null on a question about what the automation may do.</summary>
    public ManualTask? Task { get; init; }

    /// <summary>What is different from the plan that was approved before; null on a first gate.</summary>
    public string? Difference { get; init; }

    /// <summary>What speaks against it without forbidding it; shown with the question.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Why nothing could run when it was asked last, whoever said yes, in whole sentences; null where something could.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BlockedBy { get; init; }

    /// <summary>All that spoke against it when it was asked last.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> AllWarnings => BlockedBy is { } why ? [$"When this went out, nothing could run, and no yes is taken while that lasts: {why}", .. Warnings] : Warnings;

    /// <summary>How well this worked before, in words; null where it never ran. Speaks against nothing.</summary>
    public string? TrackRecord { get; init; }

    /// <summary>The guardrails behind those warnings: whoever approves has overruled these, and no others.</summary>
    public IReadOnlyList<string> Overrules { get; init; } = [];

    /// <summary>The contacts that were asked and may decide; grows with each escalation.</summary>
    public required IReadOnlyList<string> Approvers { get; init; }

    /// <summary>Of the contacts that are schedules: whom they meant for each message, the earliest first.</summary>
    public IReadOnlyList<OnCallRecord> OnCall { get; init; } = [];

    /// <summary>Whom a schedule meant last; null where it was not asked.</summary>
    public OnCallRecord? OnCallOf(string contact) => OnCall.LastOrDefault(record => string.Equals(record.Contact, contact, StringComparison.OrdinalIgnoreCase));

    /// <summary>What people are told about who is on call, a line for each schedule.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> OnCallLines => [.. OnCall.Select(record => record.Contact).Distinct(StringComparer.OrdinalIgnoreCase).Select(contact => OnCallOf(contact)!.Words)];
    public int Required { get; init; } = 1;
    public bool SeparationOfDuties { get; init; }

    /// <summary>Who started the incident, and so may not approve this; null where everybody who was asked may.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Starter { get; init; }

    /// <summary>Whom this reminder asks who was not asked before.</summary>
    public IReadOnlyList<string> NewOf(Reminder reminder) => [.. reminder.To.Except(Approvers, StringComparer.OrdinalIgnoreCase)];

    public bool IsStarter(string person) => Starter is not null && string.Equals(Starter, person, StringComparison.OrdinalIgnoreCase);

    /// <summary>The contact of which somebody has to be among those who approve; null for anybody.</summary>
    public string? OwnerTeam { get; init; }

    /// <summary>The team's contact that is asked where nobody else was reached; null for that of all.</summary>
    public string? Fallback { get; init; }

    /// <summary>Whom it goes to next when it reached nobody: the team's contact first, then that of all; null once both are asked.</summary>
    [JsonIgnore]
    public string? NextFallback => new[] { Fallback ?? Approval.FallbackContact, Approval.FallbackContact }.FirstOrDefault(contact => !Approvers.Contains(contact, StringComparer.OrdinalIgnoreCase));

    /// <summary>Whether it matters who says yes, or how many do.</summary>
    [JsonIgnore]
    public bool CountsPeople => Required > 1 || SeparationOfDuties || OwnerTeam is not null;

    /// <summary>Whether these approvals are enough.</summary>
    public bool IsCarriedBy(IReadOnlyList<Decision> approvals) => approvals.Count >= Required && (OwnerTeam is null || approvals.Any(approval => approval.OfOwner));

    /// <summary>Whether it was closed by time or by what happened, and not by the last that a person said.</summary>
    [JsonIgnore]
    public bool EndedUndecided => Outcome != GateOutcome.Pending && (Decisions.Count == 0 || Decisions[^1].At != ClosedAt);

    /// <summary>What happens when the time is up. A question that opens with a warning takes no silence for a yes.</summary>
    public OnTimeout OnTimeout { get; init; }

    /// <summary>Whether silence counts as a yes: nobody has to be counted, nobody has spoken, the plan is the first one, and all of it is taken back by us.</summary>
    [JsonIgnore]
    public bool SilenceIsYes => OnTimeout == OnTimeout.ProceedIfReversible && !CountsPeople && Decisions.Count == 0 && Difference is null && Plan.Reversible;
    public required DateTimeOffset OpenedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What is still to happen while nobody answers, soonest first.</summary>
    public IReadOnlyList<Reminder> Reminders { get; init; } = [];

    /// <summary>How many times the question was asked again; each asking is a message of its own.</summary>
    public int Asked { get; init; }

    /// <summary>When it was asked again last; null until it was.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    /// <summary>How long it could have been answered so far; counted only where silence may count as a yes.</summary>
    public TimeSpan Heard { get; init; }

    /// <summary>Until when <see cref="Heard"/> was counted; null until it was.</summary>
    public DateTimeOffset? HeardUntil { get; init; }

    /// <summary>How long it has to be heard before silence counts, once its time was prolonged; null for the time that it opened with.</summary>
    public TimeSpan? HeardFor { get; init; }

    /// <summary>When it was last seen that nothing may run. Silence until then is none, since no yes was taken.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? BlockedAt { get; init; }

    /// <summary>Whether nothing could run at some time since it was last asked.</summary>
    [JsonIgnore]
    public bool WasBlocked => IsStanding || BlockedAt >= (AskedAt ?? OpenedAt);

    /// <summary>Until when, at the most, it stays open beyond its time while nothing can run; null where its time was never up then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? StandsUntil { get; init; }

    /// <summary>Whether its time is up, and it stays open since nothing can run.</summary>
    [JsonIgnore]
    public bool IsStanding => ExpiresAt == StandsUntil;

    /// <summary>How often its time was prolonged because it could not have been answered.</summary>
    public int Prolonged { get; init; }

    /// <summary>Names the present asking: deliveries of its messages are recorded under it.</summary>
    [JsonIgnore]
    public string MessageKey => $"{Id}:{Asked}";

    /// <summary>Names the message that tells whoever is asked of this news.</summary>
    public string NewsKey(IncidentNews news) => $"{Id}:news:{news.Key}";
    public IReadOnlyList<Decision> Decisions { get; init; } = [];

    /// <summary>Approvals that were not taken, since nothing could run then; the last few.</summary>
    public IReadOnlyList<HeldBackApproval> HeldBack { get; init; } = [];

    /// <summary>Until when it is held back by what ends by itself; null where it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? HeldUntil { get; init; }

    /// <summary>Whether nobody can do anything about it now: it waits for the end of a window.</summary>
    public bool IsHeldBack(DateTimeOffset now) => now < HeldUntil;

    /// <summary>Whether this person has said yes to what the automation may do, and others have to.</summary>
    public bool IsAnsweredBy(string person) => Task is null && Decisions.Any(decision => string.Equals(decision.Person, person, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether nobody has said anything to it.</summary>
    [JsonIgnore]
    public bool IsUnanswered => Task is { } task ? !task.IsBegun : Decisions.Count == 0 && HeldBack.Count == 0;

    /// <summary>How many more have to approve.</summary>
    [JsonIgnore]
    public int Missing => Required - Decisions.Count(decision => decision.Verb == DecisionVerb.Approve);

    /// <summary>Whether nobody of those who own the runbook is among those who approved, and somebody has to be.</summary>
    [JsonIgnore]
    public bool IsOwnerMissing => OwnerTeam is not null && !Decisions.Any(decision => decision is { Verb: DecisionVerb.Approve, OfOwner: true });

    public GateOutcome Outcome { get; init; } = GateOutcome.Pending;
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Whether it was put to anybody: what was closed in the moment when it was made was nobody's question.</summary>
    [JsonIgnore]
    public bool WasAsked => ClosedAt != OpenedAt || Decisions.Count > 0;

    /// <summary>Who or what closed it, in words.</summary>
    public string? ClosedBy { get; init; }

    /// <summary>Why the approval lapsed (the checks were asked again); null if it still holds.</summary>
    public string? Lapsed { get; init; }

    public static string IdOf(Phase phase, int round) => $"{Word(phase)}-{round}";

    /// <summary>Of a step that a person does. Names of steps begin with a letter, so it is the id of no round.</summary>
    public static string IdOf(Phase phase, string step, bool undoes) => $"{(undoes ? "undo-" : "")}{Word(phase)}-{step}";

    private static string Word(Phase phase) => phase == Phase.Mitigation ? "mitigation" : "resolution";
}

public enum GateOutcome
{
    Pending,
    Approved,
    Rejected,
    TakenOver,
    Expired,

    /// <summary>The alert was resolved before anything was done, and no check contradicts it.</summary>
    SelfRecovered,
    Cancelled,

    /// <summary>A guardrail or a precondition says no, and asking a person would not change that.</summary>
    Refused,

    /// <summary>As planned, nothing is to run now; what was found is told.</summary>
    DiagnosedOnly,

    /// <summary>As planned, nothing is to run now, and nobody is told.</summary>
    Suppressed,
}

/// <summary>One person's answer to a gate.</summary>
/// <param name="Person">Who, as proven by the way it came: the link's recipient, the signed-in person, the Slack user, the key's holder.</param>
/// <param name="Via">How it came, as in <see cref="DecisionVia"/>.</param>
/// <param name="PlanHash">The plan that the person was shown; null where the way it came shows none.</param>
public sealed record Decision(
    DecisionVerb Verb, string Person, string Via, DateTimeOffset At, string? Reason = null, string? PlanHash = null) : Evolving
{
    /// <summary>The items of a checklist that are done, counted from 1; null where there is none.</summary>
    public IReadOnlyList<int>? Items { get; init; }

    /// <summary>Tenant and object id of whoever signed in to decide; null where nobody did. Names may change, this does not.</summary>
    public string? Identity { get; init; }

    /// <summary>Whether the person is of the gate's owner team.</summary>
    public bool OfOwner { get; init; }

    /// <summary>The contacts that the person was behind by a shift, or as a member of a group: neither can be looked up later. Null where that is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ByShiftOrGroup { get; init; }

    /// <summary>One person is one, whatever they are called.</summary>
    public bool IsOfSamePerson(Decision other) =>
        string.Equals(Person, other.Person, StringComparison.OrdinalIgnoreCase)
        || (Identity is not null && string.Equals(Identity, other.Identity, StringComparison.OrdinalIgnoreCase));
}

/// <summary>The ways a decision comes: recorded, and told with it.</summary>
public static class DecisionVia
{
    public const string Api = "api";
    public const string Console = "console";
    public const string Link = "link";

    /// <summary>The name of the channel too, which shows first what was pressed in it.</summary>
    public const string Slack = "slack";
}

/// <summary>An answer. Of what a person does by hand, approving says that it is done, and rejecting that it could not be done.</summary>
public enum DecisionVerb { Approve, Reject, TakeOver }

/// <summary>What became of a decision.</summary>
/// <param name="Message">In words, for the person who decided: who decided, what and when.</param>
public sealed record DecisionResult(DecisionStatus Status, string Message);

public enum DecisionStatus
{
    /// <summary>Recorded, and it settled the gate.</summary>
    Decided,

    /// <summary>Recorded; more people have to approve, or more of a checklist has to be done.</summary>
    MoreNeeded,

    /// <summary>Somebody else, or time, was first.</summary>
    AlreadyClosed,

    /// <summary>It is on record already: this person has approved before, or what it names was done.</summary>
    AlreadyCounted,

    /// <summary>The plan changed since it was shown to this person.</summary>
    PlanChanged,

    /// <summary>Nothing may run at the moment, whoever says yes: nothing was recorded as an approval, and the question stays open.</summary>
    HeldBack,

    /// <summary>The answer lacks something: which items are done, or why it could not be done. Nothing was recorded, and the question stays open.</summary>
    Incomplete,

    /// <summary>The incident asks nothing yet.</summary>
    NothingAsked,

    /// <summary>This person may not decide.</summary>
    NotAllowed,

    /// <summary>No such incident or gate.</summary>
    NotFound,
}
