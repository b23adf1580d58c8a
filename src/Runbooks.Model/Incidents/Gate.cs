namespace Runbooks.Model.Incidents;

/// <summary>
/// Holds back a phase until people answer. Nothing runs without a gate whose outcome is <see cref="GateOutcome.Approved"/>. A self-healing
/// runbook approves its own, on record.
/// </summary>
public sealed record Gate : Evolving
{
    /// <summary><c>{phase}-{round}</c>. Each new question is a new gate.</summary>
    public required string Id { get; init; }
    public required Phase Phase { get; init; }
    public required int Round { get; init; }
    public required string Question { get; init; }
    public required Plan Plan { get; init; }

    /// <summary>What a person is asked to do by hand. Null if the automation acts.</summary>
    public ManualTask? Task { get; init; }

    /// <summary>What differs from the plan that was approved before. Null on a first gate.</summary>
    public string? Difference { get; init; }

    /// <summary>No step of its phase has done anything yet; in a mitigation a message is nothing. Set for work by hand and for a question that is asked again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsBeforeFirstStep { get; init; }

    /// <summary>What speaks against it without forbidding it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Why nothing could run when it was last asked, or when somebody tried to approve after that, in whole sentences. Null if something
    /// could.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BlockedBy { get; init; }

    [JsonIgnore]
    public IReadOnlyList<string> AllWarnings => BlockedBy is { } why
        ? [$"When this was last looked at, nothing could run, and no yes is taken while that lasts: {why}", .. Warnings]
        : Warnings;

    /// <summary>How well this worked before, in words. Null if it never ran. Not a warning.</summary>
    public string? TrackRecord { get; init; }

    /// <summary>The guardrails behind the warnings. An approval overrules these and no others.</summary>
    public IReadOnlyList<string> Overrules { get; init; } = [];

    /// <summary>The contacts that were asked and may decide. Grows with each escalation.</summary>
    public required IReadOnlyList<string> Approvers { get; init; }

    /// <summary>Which people a schedule named for each message, the earliest first.</summary>
    public IReadOnlyList<OnCallRecord> OnCall { get; init; } = [];

    /// <summary>Whom a schedule named last. Null if it was not asked.</summary>
    public OnCallRecord? OnCallOf(string contact) =>
        OnCall.LastOrDefault(record => string.Equals(record.Contact, contact, StringComparison.OrdinalIgnoreCase));

    /// <summary>One line for each schedule.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> OnCallLines =>
        [.. OnCall.Select(record => record.Contact).Distinct(StringComparer.OrdinalIgnoreCase).Select(contact => OnCallOf(contact)!.Words)];
    public int Required { get; init; } = 1;
    public bool SeparationOfDuties { get; init; }

    /// <summary>The person who started the incident and so may not approve this. Null if everybody who was asked may.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Starter { get; init; }

    public IReadOnlyList<string> NewOf(Reminder reminder) => [.. reminder.To.Except(Approvers, StringComparer.OrdinalIgnoreCase)];

    public bool IsStarter(string person) => Starter is not null && string.Equals(Starter, person, StringComparison.OrdinalIgnoreCase);

    /// <summary>The contact of which somebody has to approve. Null for anybody.</summary>
    public string? OwnerTeam { get; init; }

    /// <summary>The team's contact that is asked if nobody else was reached. Null for the common one.</summary>
    public string? Fallback { get; init; }

    /// <summary>The team's fallback first, then the common one. Null once both are asked.</summary>
    [JsonIgnore]
    public string? NextFallback => new[] { Fallback ?? Approval.FallbackContact, Approval.FallbackContact }
        .FirstOrDefault(contact => !Approvers.Contains(contact, StringComparer.OrdinalIgnoreCase));

    /// <summary>Whether it matters who approves, or how many.</summary>
    [JsonIgnore]
    public bool CountsPeople => Required > 1 || SeparationOfDuties || OwnerTeam is not null;

    /// <summary>Whether these approvals are enough.</summary>
    public bool IsCarriedBy(IReadOnlyList<Decision> approvals) =>
        approvals.Count >= Required && (OwnerTeam is null || approvals.Any(approval => approval.OfOwner));

    /// <summary>Whether it was closed by time or by events, not by a person's last decision.</summary>
    [JsonIgnore]
    public bool EndedUndecided => Outcome != GateOutcome.Pending && (Decisions.Count == 0 || Decisions[^1].At != ClosedAt);

    /// <summary>A question that opens with a warning never takes silence as approval.</summary>
    public OnTimeout OnTimeout { get; init; }

    /// <summary>
    /// Whether silence counts as approval: nobody has to be counted, nobody has answered, the plan is the first one, and this program can
    /// undo all of it.
    /// </summary>
    [JsonIgnore]
    public bool SilenceIsYes =>
        OnTimeout == OnTimeout.ProceedIfReversible && !CountsPeople && Decisions.Count == 0 && Difference is null && Plan.Reversible;
    public required DateTimeOffset OpenedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Soonest first.</summary>
    public IReadOnlyList<Reminder> Reminders { get; init; } = [];

    /// <summary>How many times the question was asked again. Each time is a message of its own.</summary>
    public int Asked { get; init; }

    /// <summary>Null until it was asked again.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    /// <summary>How long it could have been answered so far. Counted only where silence may count as approval.</summary>
    public TimeSpan Heard { get; init; }

    /// <summary>The end of the time counted in <see cref="Heard"/>. Null until it was counted.</summary>
    public DateTimeOffset? HeardUntil { get; init; }

    /// <summary>How long it has to be heard before silence counts, once its time was prolonged. Null for its first time.</summary>
    public TimeSpan? HeardFor { get; init; }

    /// <summary>When nothing could run, as last seen. Silence before that does not count, since no approval was taken.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? BlockedAt { get; init; }

    /// <summary>Whether nothing could run at some time since it was last asked.</summary>
    [JsonIgnore]
    public bool WasBlocked => IsStanding || BlockedAt >= (AskedAt ?? OpenedAt);

    /// <summary>How long it stays open at most while nothing can run. Null if its time was never up then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? StandsUntil { get; init; }

    [JsonIgnore]
    public bool IsStanding => ExpiresAt == StandsUntil;

    /// <summary>How often its time was prolonged because nobody could have answered.</summary>
    public int Prolonged { get; init; }

    /// <summary>Deliveries of the present asking are recorded under it.</summary>
    [JsonIgnore]
    public string MessageKey => $"{Id}:{Asked}";

    public string NewsKey(IncidentNews news) => $"{Id}:news:{news.Key}";
    public IReadOnlyList<Decision> Decisions { get; init; } = [];

    /// <summary>The last few approvals that were not taken, because nothing could run.</summary>
    public IReadOnlyList<HeldBackApproval> HeldBack { get; init; } = [];

    /// <summary>When what holds it back ends by itself. Null if nothing does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? HeldUntil { get; init; }

    public bool IsHeldBack(DateTimeOffset now) => now < HeldUntil;

    /// <summary>Whether this person has approved while others still have to.</summary>
    public bool IsAnsweredBy(string person) =>
        Task is null && Decisions.Any(decision => string.Equals(decision.Person, person, StringComparison.OrdinalIgnoreCase));

    [JsonIgnore]
    public bool IsUnanswered => Task is { } task ? !task.IsBegun : Decisions.Count == 0 && HeldBack.Count == 0;

    /// <summary>How many more have to approve.</summary>
    [JsonIgnore]
    public int Missing => Required - Decisions.Count(decision => decision.Verb == DecisionVerb.Approve);

    [JsonIgnore]
    public bool IsOwnerMissing =>
        OwnerTeam is not null && !Decisions.Any(decision => decision is { Verb: DecisionVerb.Approve, OfOwner: true });

    public GateOutcome Outcome { get; init; } = GateOutcome.Pending;
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>False if it was closed in the moment in which it was made.</summary>
    [JsonIgnore]
    public bool WasAsked => ClosedAt != OpenedAt || Decisions.Count > 0;

    /// <summary>Who or what closed it, in words.</summary>
    public string? ClosedBy { get; init; }

    /// <summary>Why the approval lapsed (the checks were asked again). Null if it is still valid.</summary>
    public string? Lapsed { get; init; }

    public static string IdOf(Phase phase, int round) => $"{Word(phase)}-{round}";

    /// <summary>The id for a manual step. Names of steps begin with a letter, so it is never the id of a round.</summary>
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

    /// <summary>A guardrail or a precondition forbids it, and asking a person would not change that.</summary>
    Refused,

    /// <summary>As planned, nothing is to run now. The findings are reported.</summary>
    DiagnosedOnly,

    /// <summary>As planned, nothing is to run now, and nobody is told.</summary>
    Suppressed,
}

/// <param name="Person">As proven by the channel: the link's recipient, the signed-in person, the Slack user, the key's holder.</param>
/// <param name="Via">As in <see cref="DecisionVia"/>.</param>
/// <param name="PlanHash">The plan that the person saw. Null if the channel shows none.</param>
public sealed record Decision(
    DecisionVerb Verb, string Person, string Via, DateTimeOffset At, string? Reason = null, string? PlanHash = null) : Evolving
{
    /// <summary>The done items of a checklist, counted from 1. Null if there is none.</summary>
    public IReadOnlyList<int>? Items { get; init; }

    /// <summary>Tenant and object id of the signed-in person, which stay the same when names change. Null if nobody signed in.</summary>
    public string? Identity { get; init; }

    public bool OfOwner { get; init; }

    /// <summary>
    /// The contacts that the person answered for by a shift or as a member of a group. Neither can be looked up later. Null if not known.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ByShiftOrGroup { get; init; }

    public bool IsOfSamePerson(Decision other) =>
        string.Equals(Person, other.Person, StringComparison.OrdinalIgnoreCase)
        || (Identity is not null && string.Equals(Identity, other.Identity, StringComparison.OrdinalIgnoreCase));
}

public static class DecisionVia
{
    public const string Api = "api";
    public const string Console = "console";
    public const string Link = "link";

    /// <summary>Also the name of the channel, which shows first what was pressed in it.</summary>
    public const string Slack = "slack";
}

/// <summary>For work by hand, approve means that it is done and reject that it could not be done.</summary>
public enum DecisionVerb { Approve, Reject, TakeOver }

/// <param name="Message">For the person who decided: who decided, what and when.</param>
public sealed record DecisionResult(DecisionStatus Status, string Message);

public enum DecisionStatus
{
    /// <summary>Recorded, and it closed the gate.</summary>
    Decided,

    /// <summary>Recorded. More people have to approve, or more items of a checklist have to be done.</summary>
    MoreNeeded,

    /// <summary>Somebody else decided first, or the time was up.</summary>
    AlreadyClosed,

    /// <summary>Already on record: this person has approved before, or the items were done.</summary>
    AlreadyCounted,

    /// <summary>The plan changed since this person saw it.</summary>
    PlanChanged,

    /// <summary>Nothing may run now, even with an approval. Nothing was recorded as an approval, and the question stays open.</summary>
    HeldBack,

    /// <summary>
    /// The answer does not say which items are done, or why it could not be done. Nothing was recorded, and the question stays open.
    /// </summary>
    Incomplete,

    /// <summary>The incident has asked nothing yet.</summary>
    NothingAsked,

    NotAllowed,

    /// <summary>No such incident or gate.</summary>
    NotFound,
}
