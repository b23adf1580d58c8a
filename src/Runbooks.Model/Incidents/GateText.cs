namespace Runbooks.Model.Incidents;

/// <summary>The same on every page, card and API answer.</summary>
public static class GateText
{
    public const string DryRun = "DRY RUN: nothing outside is touched.";

    private const string Rehearsed = "The steps are rehearsed: nothing outside is touched.";

    /// <summary>How many have to approve, and who has. Null if anybody who was asked is enough.</summary>
    public static string? Quorum(Gate gate) => Needed(gate) is { } needed
        ? $"{needed} So far: "
            + $"{(gate.Decisions.Count == 0 ? "nobody" : string.Join(", ", gate.Decisions.Select(decision => decision.Person)))}."
        : null;

    /// <summary>How many have to approve, and who may not. Null if anybody who was asked is enough.</summary>
    public static string? Needed(Gate gate) => (Needed(gate.Required, gate.OwnerTeam), gate.Starter) switch
    {
        (var needed, null) => needed,
        var (needed, starter) => $"{needed} {starter} started this and may not approve it.".TrimStart(),
    };

    /// <summary>Why an approval of this person would not count. Null if it may.</summary>
    public static string? WhyNoYes(Gate gate, string person) =>
        gate.IsAnsweredBy(person) ? $"You have approved; {MoreNeeded(gate)}."
        : gate.IsStarter(person) ? "You started this, so somebody else has to approve it."
        : null;

    internal static string MoreNeeded(Gate gate) => gate switch
    {
        { IsOwnerMissing: false } => $"{gate.Missing} more needed",
        { Missing: > 1 } => $"{gate.Missing} more needed, one of them from {gate.OwnerTeam}",
        _ => $"somebody from {gate.OwnerTeam}, which owns the runbook, has to approve too",
    };

    public static string? Needed(int required, string? ownerTeam) => (required, ownerTeam) switch
    {
        (1, null) => null,
        (1, { } owner) => $"Somebody from {owner}, which owns the runbook, has to approve.",
        (var many, null) => $"{many} different people have to approve.",
        var (many, owner) => $"{many} different people have to approve, one of them from {owner}, which owns the runbook.",
    };

    public static string WhatYesMeans(Gate gate, RunMode mode)
    {
        var run = mode == RunMode.DryRun ? Rehearsed : "The steps run as shown, unless something stops them first.";
        return gate switch
        {
            { Missing: > 1 and var missing } => $"Your yes counts, and then {missing - 1} more {CountText.Are(missing - 1)} needed."
                + (gate.IsOwnerMissing ? $" Somebody from {gate.OwnerTeam}, which owns the runbook, has to be among those who approve." : ""),
            { IsOwnerMissing: true } =>
                $"If you are in {gate.OwnerTeam}, which owns the runbook, your yes is enough. {run} "
                + $"Otherwise somebody from {gate.OwnerTeam} is needed too.",
            _ when Needed(gate.Required, gate.OwnerTeam) is not null => $"Your yes is the last one needed. {run}",
            _ => run,
        };
    }

    public static string ButtonForYes(Gate gate, bool dryRun)
    {
        var run = $"{(dryRun ? "rehearse" : "run")} {CountText.Format(gate.Plan.Steps.Count, "step")}";
        return gate switch
        {
            { Missing: > 1 and var missing } => $"your yes counts, {missing - 1} more needed",
            { IsOwnerMissing: true } => $"{run} if you are in {gate.OwnerTeam}, otherwise your yes counts",
            _ => run,
        };
    }

    internal static string AfterYes(Gate gate, RunMode mode) =>
        gate is { Task: null, Outcome: GateOutcome.Approved } && mode == RunMode.DryRun ? $" {Rehearsed}" : "";

    public static string WhatNoMeans(Gate gate, Incident incident)
    {
        var words = WithoutApproval(gate);
        return $"{CleanText.Capital(words)}, and the incident ends.{(gate.Task is null ? StopText.AsksNoMore(incident) : "")}";
    }

    /// <summary>For people who come late.</summary>
    public static string HowItEnded(Gate gate)
    {
        var when = gate.ClosedAt is { } at ? $" at {Clock(at, gate.OpenedAt)}" : "";
        return gate.Outcome switch
        {
            GateOutcome.Approved when gate.Task is { } task =>
                $"{ManualTaskText.People(gate)} {ManualTaskText.Past(task, DecisionVerb.Approve)}{when}.",
            GateOutcome.Approved when gate.Decisions.Count > 0 =>
                $"{Approvers(gate)} approved this{when}.",
            GateOutcome.Rejected or GateOutcome.TakenOver when gate.Decisions.Count > 0 =>
                $"{gate.Decisions[^1].Person} {Past(gate, gate.Decisions[^1].Verb)}{when}.",
            _ => $"Closed{when}. {gate.ClosedBy}",
        };
    }

    /// <summary>For an incident that never asked, or has ended since.</summary>
    public static string HowItEnded(Incident incident)
    {
        var ended = incident is { State: IncidentState.TakenOver, ClosedByHand: not null } ? "was closed" : "ended";
        var when = incident.EndedAt is { } at ? $" at {DayAndClock(at)}" : "";
        return $"Incident {incident.Id} {ended}{when}: {EndingText.Sentence(EndingText.WithHeadline(incident))}";
    }

    /// <summary>Empty for a question that is asked for the first time.</summary>
    /// <param name="guards">What keeps it from running now, which may have begun after it was asked.</param>
    public static IReadOnlyList<string> WhyAgain(Gate gate, IReadOnlyCollection<string>? guards = null) =>
        Lines.Of(gate.Difference, guards is { Count: > 0 } || gate.Outcome != GateOutcome.Pending ? null : RunsAgain(gate));

    private static string? RunsAgain(Gate gate)
    {
        if (gate is not { AskedAt: { } asked, BlockedBy: null, WasBlocked: false } || gate.IsHeldBack(asked))
        {
            return null;
        }

        var lost = gate.HeldBack
            .Where(approval => approval.At < asked && !gate.IsAnsweredBy(approval.Person))
            .GroupBy(approval => approval.Person, StringComparer.OrdinalIgnoreCase)
            .Select(person => $"{person.Key}'s yes of {Clock(person.Last().At, gate.OpenedAt)} was not taken and has to be given again.");
        var why = string.Join(" ", Lines.Of([gate.BlockedAt < asked ? "Nothing could run for a time; now something can." : null, .. lost]));
        return why.Length > 0 ? why : null;
    }

    /// <summary>What latecomers are told.</summary>
    public static string Late(Gate gate, DateTimeOffset now) => gate switch
    {
        { Outcome: not GateOutcome.Pending } => HowItEnded(gate),
        _ when now >= gate.ExpiresAt =>
            $"The time for an answer ended at {Clock(gate.ExpiresAt, gate.OpenedAt)}: {WhenTimeIsUp(gate)}"
            + $"{(Incidents.Silence.MayCount(gate) ? " To stop it, stop the incident." : "")}",
        { HeldUntil: { } until } when gate.IsHeldBack(now) =>
            $"This question is still open. Nothing can run until {Clock(until, now)}; then it is asked again, with a new link.",
        { IsStanding: true } =>
            "This question is still open. When it was last looked at nothing could run; "
            + "once something can, it is asked again, with a new link.",
        _ => "This question is still open. Decide from the newest message.",
    };

    /// <summary>The start of a card's title.</summary>
    public static string Brief(Gate gate) => gate.Task is not null && ManualTaskText.Brief(gate) is { } brief ? brief : gate.Outcome switch
    {
        GateOutcome.Approved when gate.Decisions.Count == 0 => "Goes ahead without an answer",
        GateOutcome.Approved => "Approved",
        GateOutcome.Rejected => "Rejected",
        GateOutcome.TakenOver => "Taken over",
        GateOutcome.Expired => gate.IsUnanswered ? "Nobody answered" : gate.Task is null ? "Not approved in time" : "Not done in time",
        GateOutcome.SelfRecovered => "Recovered by itself",
        GateOutcome.Pending => "Waiting",
        _ => "Closed",
    };

    public static string Said(Gate gate, Decision decision) => gate.Task is { } task
        ? ManualTaskText.Said(task, decision)
        : $"{decision.Person} {Past(decision.Verb)} (by {decision.Via}){(decision.Reason is { Length: > 0 } reason ? $": {reason}" : ".")}";

    /// <summary>What happens when nobody answers, and when.</summary>
    public static string Silence(Gate gate)
    {
        var next = gate.Reminders
            .Select(reminder => reminder with { To = gate.NewOf(reminder) })
            .FirstOrDefault(reminder => reminder.To.Count > 0);
        var others = next is null
            ? ""
            : $"At {Clock(next.At, gate.OpenedAt)} {string.Join(" and ", next.To)} {CountText.Are(next.To.Count)} asked too. ";
        return $"{others}At {Clock(gate.ExpiresAt, gate.OpenedAt)} {WhenTimeIsUp(gate)}";
    }

    /// <param name="guards">What keeps it from running now. The question may not have been reviewed for these yet.</param>
    public static string Silence(Gate gate, IReadOnlyCollection<string> guards) =>
        Silence(guards.Count == 0 ? gate : gate with { BlockedAt = gate.AskedAt ?? gate.OpenedAt });

    public static string WhenTimeIsUp(Gate gate) => gate.OnTimeout switch
    {
        _ when gate.IsStanding =>
            $"{WithoutApproval(gate)} and the incident is closed as expired. Once something can run again it is asked again.",
        OnTimeout.ProceedIfReversible when gate.SilenceIsYes =>
            "it goes ahead without an answer, since what the steps change can be undone. "
            + "Time does not count while nobody who may answer is known to have been reached, or while nothing may run."
            + (gate.WasBlocked ? " Where nothing can run when its time is up, a person has to say yes." : ""),
        OnTimeout.Escalate => $"{gate.Fallback ?? Approval.FallbackContact} is asked, and has as much time again.",
        _ when gate.Task is { Undoes: true } => $"{WithoutApproval(gate)}.",
        _ when gate.WasBlocked && Incidents.Silence.CanProlong(gate) =>
            $"{WithoutApproval(gate)} and the incident is closed as expired. "
            + "While nothing can run it stays open, and is asked again once something can.",
        _ => $"{WithoutApproval(gate)} and the incident is closed as expired.",
    };

    /// <summary>Before a later question something may have been done already, and need not have been.</summary>
    public static string WithoutApproval(Gate gate) => gate switch
    {
        { Task: not null } => ManualTaskText.Without(gate),
        { Phase: Phase.Resolution, IsBeforeFirstStep: false } when gate.Round > 1 || gate.Difference is not null =>
            "nothing more of the resolution runs",
        { Phase: Phase.Resolution } => "the resolution does not run",
        { Round: > 1, IsBeforeFirstStep: false } => "nothing more is done, whatever was done before is undone where it can be",
        _ => "nothing is done",
    };

    /// <summary>Follows a person's name.</summary>
    public static string Past(Gate gate, DecisionVerb verb) => gate.Task switch
    {
        _ when verb == DecisionVerb.TakeOver => "took this over",
        { } task => ManualTaskText.Past(task, verb),
        null => $"{Past(verb)} this",
    };

    public static string Past(DecisionVerb verb) => verb switch
    {
        DecisionVerb.Approve => "approved",
        DecisionVerb.Reject => "rejected",
        _ => "took over",
    };

    /// <summary>The progress of an open question, without a full stop.</summary>
    public static string NotYet(Gate gate) =>
        gate.IsUnanswered ? "Nobody has answered yet" : gate.Task is null ? "It is not approved yet" : "Not all of it is done yet";

    /// <summary>For a message that is not the first one, which may call somebody who has heard of nothing before.</summary>
    public static string AskedSoFar(Gate gate) =>
        $"Asked: {string.Join(", ", gate.Approvers)}; first at {Clock(gate.OpenedAt, gate.AskedAt ?? gate.OpenedAt)}. {NotYet(gate)}.";

    /// <summary>Why it was not approved in time, without a full stop.</summary>
    public static string NotApproved(Gate gate) =>
        gate.IsUnanswered ? "Nobody answered in time"
        : gate.Task is { } task ? $"Not all of it was said to be {(task.Undoes ? "taken back" : "done")} in time"
        : gate.HeldBack is [.., var last]
            ? $"{last.Person} wanted to approve at {Clock(last.At, gate.OpenedAt)}, which could not be taken ({last.Why.TrimEnd('.')}), "
                + "and it was not approved in time after that"
        : $"It was not approved in time: {Approvers(gate)} approved, and that is not enough";

    private static string Approvers(Gate gate) => string.Join(" and ", gate.Decisions
        .Where(decision => decision.Verb == DecisionVerb.Approve)
        .Select(decision => decision.Person));

    public static string Clock(DateTimeOffset at) => at.ToUniversalTime().ToString("HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>For texts that are read on another day.</summary>
    public static string DayAndClock(DateTimeOffset at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>Has the date if that differs from <paramref name="from"/>, when the reader was told. People may have weeks to answer.</summary>
    public static string Clock(DateTimeOffset at, DateTimeOffset from) =>
        at.UtcDateTime.Date == from.UtcDateTime.Date ? Clock(at) : DayAndClock(at);
}
