using Runbooks.Notifications.Storms;

namespace Runbooks.Approvals;

/// <summary>Looks after an open question: reads decisions, reminds people, and tells them the news.</summary>
public sealed class ApprovalGateReview(
    ApprovalGateService gates,
    IIncidentStore store,
    PinnedRunbooks pinned,
    CheckService checks,
    ApproverRules approvers,
    ClosedGuards closed,
    IncidentNotifier notifier,
    IncidentCards cards,
    NotificationUpdater updater,
    StormRegistry storms,
    TimeProvider time)
{
    /// <summary>Urgent news that reached nobody is sent again after this long, then less and less often.</summary>
    internal static readonly TimeSpan NewsPause = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_longestNewsPause = TimeSpan.FromMinutes(80);

    /// <summary>A workflow reads a decision at once. A longer delay means that a process died.</summary>
    private static readonly TimeSpan s_shownBy = TimeSpan.FromSeconds(30);

    public async Task<GateStatus> ReviewAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var (incident, due) = await AdvanceAsync(request, cancellationToken);
        if (incident.ClaimsRecovery && incident.FindGate(request.GateId) is { Outcome: GateOutcome.Pending })
        {
            await checks.CheckClaimAsync(incident, await pinned.OfAsync(incident, cancellationToken), cancellationToken);
            (incident, var dueNow) = await AdvanceAsync(request, cancellationToken);
            due ??= dueNow;
        }

        // The process may have crashed between a reminder being due and its message.
        if ((due ?? Unsent(incident, request.GateId)) is not { } kind)
        {
            await ShowUnshownEndAsync(incident, request.GateId, cancellationToken);
            return GateStatus.Of(await ShowNewsAsync(incident, request.GateId, cancellationToken), request.GateId, time.GetUtcNow());
        }

        return await gates.AskAsync(
            incident, await pinned.OfAsync(incident, cancellationToken), request.GateId, kind, alone: !incident.InStorm, cancellationToken);
    }

    private async Task<(Incident Incident, CardKind? Due)> AdvanceAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();

        // The people whom the question reached may have left the contacts, or nothing may run now: then silence is not a yes.
        Func<Gate, string, bool>? isAsked = null;
        var before = await store.FindCachedAsync(request.IncidentId, cancellationToken);
        var asked = before?.FindGate(request.GateId);
        var (counts, isHeld) = (asked is not null && Silence.MayCount(asked), asked?.IsHeldBack(now) == true);
        if (counts)
        {
            var people = await approvers.ReadAsync(asked!, cancellationToken);
            isAsked = (gate, recipient) => ApproverRules.IsAsked(gate, recipient, people);
        }

        var heldBackBy = before is null ? null : await closed.FindAllAsync(before, asked, cancellationToken);

        // Once it is decided, the workflow no longer waits for that event.
        var (incident, due) = await store.UpdateAsync(
            request.IncidentId,
            i => i.FindGate(request.GateId) is { Outcome: not GateOutcome.Pending } ? (i, null) : Advance(Released(i)),
            cancellationToken);
        var later = incident.FindGate(request.GateId);
        if (later?.HeldUntil != asked?.HeldUntil || later?.StandsUntil != asked?.StandsUntil)
        {
            await updater.ShowGateAsync(incident, request.GateId, cancellationToken);
        }

        return (incident, due);

        (Incident Incident, CardKind? Due) Advance(Incident i)
        {
            var (advanced, kind) = ApprovalSchedule.Advance(i, request.GateId, now, isAsked, heldBackBy);
            return (kind is null ? advanced : ApprovalSchedule.NoteWhetherItRuns(advanced, request.GateId, heldBackBy?.Why, now), kind);
        }

        Incident Released(Incident i)
        {
            var released = isHeld && heldBackBy is null
                ? ApprovalSchedule.Release(i, request.GateId, asked!.HeldUntil!.Value, now)
                : i;
            return released with { WakeEvent = request.WakeEvent };
        }
    }

    private async Task<Incident> ShowNewsAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        if (incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } && incident.NewsMark is var mark && mark != incident.ShownNews)
        {
            var shown = incident;
            await updater.ShowGateAsync(incident, gateId, cancellationToken);
            (incident, var told) = await NotifyUrgentAsync(incident, gateId, cancellationToken);
            if (told)
            {
                incident = await store.UpdateAsync(incident.Id, i => i with { ShownNews = mark }, cancellationToken);
            }

            await updater.ShowIfAnsweredAsync(shown, incident, gateId, cancellationToken);
        }

        return incident;
    }

    /// <summary>
    /// In a storm the storm's page has the news, unless it is worse than everything that people were told, or says that another incident
    /// continues here.
    /// </summary>
    /// <returns>Whether each of them reached somebody.</returns>
    private async Task<(Incident Incident, bool Told)> NotifyUrgentAsync(
        Incident incident, string gateId, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId)!;
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var told = true;
        foreach (var news in incident.News.Where(news => news.Urgent && news.At >= gate.OpenedAt))
        {
            var key = gate.NewsKey(news);
            var tries = incident.DeliveriesUnder(key).ToList();
            if (Reach.IsHeard(tries)
                || (tries.Count == 0
                    && incident.InStorm
                    && !Incident.GoesOn(news)
                    && !await storms.IsWorstAsync(incident, cancellationToken)))
            {
                continue;
            }

            if (Reach.IsTooSoon(tries, NewsPause, s_longestNewsPause, time.GetUtcNow()))
            {
                told = false;
                continue;
            }

            (incident, var shown, var people) = await notifier.FindPeopleAsync(incident, gate, key, gate.Approvers, cancellationToken);
            var result = await notifier.SendAsync(
                incident,
                new(
                    key,
                    gate.Approvers,
                    recipient => cards.Approval(incident, runbook, shown, recipient.Name, CardKind.Reminder) with { Title = $"News: {gate.Question}" })
                { People = people },
                cancellationToken);
            (incident, told) = (result.Incident, told && Reach.IsHeard(result.Deliveries));
        }

        return (incident, told);
    }

    /// <summary>
    /// After a person's decision the service that took it updates the cards, unless that process has died. After an end by time, by
    /// recovery, by silence or by a stop only this does.
    /// </summary>
    private Task ShowUnshownEndAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId);
        var nobodyShowedIt = gate is { Outcome: GateOutcome.Expired or GateOutcome.SelfRecovered or GateOutcome.Cancelled }
            or { Outcome: GateOutcome.Approved, Decisions.Count: 0 };
        var isLate = !incident.State.IsFinal()
            && gate is { Outcome: not GateOutcome.Pending, ClosedAt: { } decided }
            && time.GetUtcNow() - decided > s_shownBy;
        return nobodyShowedIt || isLate ? updater.ShowGateAsync(incident, gateId, cancellationToken) : Task.CompletedTask;
    }

    private static CardKind? Unsent(Incident incident, string gateId) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } gate && !incident.WasSent(gate) ? CardKind.Reminder : null;
}

public sealed record ReviewGateRequest(string IncidentId, string GateId, string WakeEvent)
{
    public Phase? Runs { get; init; }
}

/// <param name="NextReview">When something is due even if nobody answers.</param>
public sealed record GateStatus(string GateId, GateOutcome Outcome, DateTimeOffset NextReview, string? Reason)
{
    /// <summary>A lost wake-up delays a decision by no more than this.</summary>
    private static readonly TimeSpan s_longestReviewPause = TimeSpan.FromMinutes(15);

    /// <summary>How often the checks are asked while they contradict the sender, who says that it is over.</summary>
    private static readonly TimeSpan s_claimPause = TimeSpan.FromMinutes(1);

    /// <inheritdoc cref="StepResult.TakesBack"/>
    public bool TakesBack { get; init; }

    public PhaseResult? Ran { get; init; }

    /// <param name="askAt">When the question goes out, if it has not yet.</param>
    public static GateStatus Of(Incident incident, string gateId, DateTimeOffset now, DateTimeOffset? askAt = null)
    {
        var gate = incident.FindGate(gateId) ?? throw new InvalidOperationException($"Incident {incident.Id} has no gate '{gateId}'.");
        var open = gate.Outcome == GateOutcome.Pending;
        IEnumerable<DateTimeOffset?> due =
        [
            now + s_longestReviewPause,
            gate.ExpiresAt,
            askAt,
            .. gate.Reminders.Select(reminder => (DateTimeOffset?)reminder.At),
            gate.WasBlocked && !gate.IsHeldBack(now) ? now + Silence.BlockedPause(gate, now) : null,
            Silence.MayCount(gate) ? now + Silence.ReviewPause(gate) : null,
            open && incident.NewsMark != incident.ShownNews ? now + ApprovalGateReview.NewsPause : null,

            // A claim that came while the checks were asked about another raised no event.
            open && incident.ClaimsRecovery && incident.CheckedClaim?.Answer != RecoveryAnswer.NoChecks
                ? incident.CheckedClaim?.AskedAt + s_claimPause ?? now
                : null,

            // The alerts of a flapping incident raise no events, so that they cannot keep the workflow busy.
            open && incident.Flaps(now) ? now + s_claimPause : null,
        ];
        var reason = gate.Outcome == GateOutcome.Approved ? null : gate.ClosedBy;
        return new GateStatus(gateId, gate.Outcome, due.Min()!.Value, reason)
        {
            TakesBack = incident.Stop is { UndoesFix: true },
        };
    }
}
