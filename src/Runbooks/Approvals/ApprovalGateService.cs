using Runbooks.Notifications.Storms;

namespace Runbooks.Approvals;

/// <summary>Opens gates, asks people, and reads from the store what they decided.</summary>
public sealed class ApprovalGateService(
    IIncidentStore store,
    PinnedRunbooks pinned,
    PlanBuilder plans,
    GuardrailEvaluator guardrails,
    CheckService checks,
    ApproverRules approvers,
    ClosedGuards closed,
    OnCallDirectory directory,
    IncidentNotifier notifier,
    IncidentCards cards,
    NotificationUpdater updater,
    StormRegistry storms,
    StormApprovalNotifier stormNotifier,
    TimeProvider time)
{
    /// <summary>A lost wake-up delays a decision by no more than this.</summary>
    private static readonly TimeSpan s_longestReviewPause = TimeSpan.FromMinutes(15);

    /// <summary>While the sender says that it is over and the checks say otherwise, they are asked this often.</summary>
    private static readonly TimeSpan s_claimPause = TimeSpan.FromMinutes(1);

    /// <summary>A workflow looks at a decision at once. One that comes so late was held up by a death, or follows one.</summary>
    private static readonly TimeSpan s_shownBy = TimeSpan.FromSeconds(30);

    /// <summary>Urgent news that reached nobody is told again after this long, then ever more rarely.</summary>
    private static readonly TimeSpan s_newsPause = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_longestNewsPause = TimeSpan.FromMinutes(80);

    public async Task<GateStatus> OpenAsync(OpenGateRequest request, CancellationToken cancellationToken) =>
        await OpenAsync(request, await store.GetAsync(request.IncidentId, cancellationToken), cancellationToken);

    /// <param name="incident">As it was when the findings were asked for.</param>
    internal async Task<GateStatus> OpenAsync(OpenGateRequest request, Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var id = request.Step is { } step ? Gate.IdOf(request.Phase, step, request.Undoes) : Gate.IdOf(request.Phase, request.Round);
        var atOnce = false;
        if (request.Step is { } manual)
        {
            incident = await store.UpdateAsync(
                request.IncidentId,
                i => i.State.IsFinal()
                    ? i
                    : i.AddGate(ManualTaskFactory.Make(i, runbook, request.Phase, manual, request.Undoes, time.GetUtcNow()), time.GetUtcNow()) with { WakeEvent = request.WakeEvent, ShownNews = i.NewsMark },
                cancellationToken);
        }
        else if (incident.FindGate(id) is null)
        {
            incident = (await checks.CheckClaimAsync(incident, runbook, cancellationToken)).RecordFindings(request.Findings, time.GetUtcNow());
            var plan = await plans.MakeAsync(incident, runbook, request.Phase, cancellationToken);
            var violations = await guardrails.EvaluateAsync(new GuardrailContext(incident, runbook, request.Phase, AboutToRun: false), cancellationToken);
            var place = incident.InStorm ? null : await storms.JoinAsync(incident, cancellationToken);
            atOnce = place?.AtOnce ?? false;
            incident = await store.UpdateAsync(
                request.IncidentId,
                current =>
                {
                    if (current.State.IsFinal())
                    {
                        return current;
                    }

                    var now = time.GetUtcNow();
                    var i = current.RecordFindings(request.Findings, now);
                    var gate = ApprovalGateFactory.Make(i, runbook, request, plan, violations, now);
                    return i.AddGate(approvers.Separate(gate, i.StartedBy), now) with { WakeEvent = request.WakeEvent, Storm = i.Storm ?? place?.StormId, ShownNews = i.NewsMark };
                },
                cancellationToken);
        }
        else
        {
            // An attempt that failed has opened it, and the workflow may wait for another event by now.
            atOnce = await storms.IsWorstAsync(incident, cancellationToken);
            incident = incident.WakeEvent == request.WakeEvent ? incident : await store.UpdateAsync(
                request.IncidentId, i => i.FindGate(id) is { Outcome: GateOutcome.Pending } ? i with { WakeEvent = request.WakeEvent } : i, cancellationToken);
        }

        // Delivered once more for a process that died, when another one has ended the incident: nobody is asked about what is over.
        if (incident.FindGate(id) is null)
        {
            return new(id, GateOutcome.Cancelled, time.GetUtcNow(), GateText.HowItEnded(incident));
        }

        // After a crash this runs again: the gate is there, and what was delivered is not sent twice.
        return await AskAsync(incident, runbook, id, CardKind.ApprovalRequest, alone: !incident.InStorm || atOnce, cancellationToken);
    }

    public async Task<GateStatus> ReviewAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var (incident, due) = await AdvanceAsync(request, cancellationToken);
        if (incident.ClaimsRecovery && incident.FindGate(request.GateId) is { Outcome: GateOutcome.Pending })
        {
            await checks.CheckClaimAsync(incident, await pinned.OfAsync(incident, cancellationToken), cancellationToken);
            (incident, var dueNow) = await AdvanceAsync(request, cancellationToken);
            due ??= dueNow;
        }

        // A crash may have come between a reminder being due and its message: what is on the record is what was sent.
        if ((due ?? Unsent(incident, request.GateId)) is not { } kind)
        {
            await ShowUnshownEndAsync(incident, request.GateId, cancellationToken);
            return StatusOf(await ShowNewsAsync(incident, request.GateId, cancellationToken), request.GateId);
        }

        return await AskAsync(incident, await pinned.OfAsync(incident, cancellationToken), request.GateId, kind, alone: !incident.InStorm, cancellationToken);
    }

    private async Task<(Incident Incident, CardKind? Due)> AdvanceAsync(ReviewGateRequest request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();

        // Whom it reached may be out of the contacts by now, and where nothing may run a yes would not be taken: then silence says nothing.
        Func<Gate, string, bool>? isAsked = null;
        var known = await store.FindCachedAsync(request.IncidentId, cancellationToken);
        var asked = known?.FindGate(request.GateId);
        var (counts, isHeld) = (asked is not null && Silence.MayCount(asked), asked?.IsHeldBack(now) == true);
        if (counts)
        {
            var people = await approvers.ReadAsync(asked!, cancellationToken);
            isAsked = (gate, recipient) => ApproverRules.IsAsked(gate, recipient, people);
        }

        var heldBackBy = counts || isHeld ? await closed.FindAllAsync(known!, asked, cancellationToken) : null;

        // Once it is decided nobody waits for that event any more.
        var (incident, due) = await store.UpdateAsync(
            request.IncidentId,
            i => i.FindGate(request.GateId) is { Outcome: not GateOutcome.Pending } ? (i, null) : ApprovalSchedule.Advance(
                (isHeld && heldBackBy is null ? ApprovalSchedule.Release(i, request.GateId, asked!.HeldUntil!.Value, now) : i) with { WakeEvent = request.WakeEvent }, request.GateId, now, isAsked, heldBackBy),
            cancellationToken);
        if (incident.FindGate(request.GateId)?.HeldUntil != asked?.HeldUntil)
        {
            await updater.ShowGateAsync(incident, request.GateId, cancellationToken);
        }

        return (incident, due);
    }

    /// <summary>The cards that asked say what was learnt since.</summary>
    private async Task<Incident> ShowNewsAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        if (incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } && incident.NewsMark is var mark && mark != incident.ShownNews)
        {
            await updater.ShowGateAsync(incident, gateId, cancellationToken);
            (incident, var told) = await NotifyUrgentAsync(incident, gateId, cancellationToken);
            if (told)
            {
                incident = await store.UpdateAsync(incident.Id, i => i with { ShownNews = mark }, cancellationToken);
            }

            await ShowIfClosedAsync(incident, gateId, cancellationToken);
        }

        return incident;
    }

    /// <summary>
    /// One message for each urgent news that came after the question. In a storm its page says it, unless it is worse than all that
    /// people were told of, or tells that another incident goes on here.
    /// </summary>
    /// <returns>Whether somebody heard each of them: what reached nobody is told again.</returns>
    private async Task<(Incident Incident, bool Told)> NotifyUrgentAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId)!;
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var told = true;
        foreach (var news in incident.News.Where(news => news.Urgent && news.At >= gate.OpenedAt))
        {
            var key = gate.NewsKey(news);
            var tries = incident.DeliveriesUnder(key).ToList();
            if (Reach.IsHeard(tries) || (tries.Count == 0 && incident.InStorm && !Incident.GoesOn(news) && !await storms.IsWorstAsync(incident, cancellationToken)))
            {
                continue;
            }

            if (Reach.IsTooSoon(tries, s_newsPause, s_longestNewsPause, time.GetUtcNow()))
            {
                told = false;
                continue;
            }

            (incident, var shown, var people) = await FindPeopleAsync(incident, gate, key, gate.Approvers, cancellationToken);
            var result = await notifier.SendAsync(
                incident, key, gate.Approvers, recipient => cards.Approval(incident, runbook, shown, recipient.Name, CardKind.Reminder) with { Title = $"News: {gate.Question}" }, cancellationToken, people);
            (incident, told) = (result.Incident, told && Reach.IsHeard(result.Deliveries));
        }

        return (incident, told);
    }

    /// <summary>The question was answered while the last channel was still sending; that card has buttons that no longer work.</summary>
    private Task ShowIfClosedAsync(Incident incident, string gateId, CancellationToken cancellationToken) =>
        incident.FindGate(gateId) is { Outcome: not GateOutcome.Pending } ? updater.ShowGateAsync(incident, gateId, cancellationToken) : Task.CompletedTask;

    /// <summary>
    /// After a person's decision the cards are brought up to date by whoever took it, unless that process has died since; time and recovery
    /// have nobody else.
    /// </summary>
    private Task ShowUnshownEndAsync(Incident incident, string gateId, CancellationToken cancellationToken) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Expired or GateOutcome.SelfRecovered or GateOutcome.Cancelled } or { Outcome: GateOutcome.Approved, Decisions.Count: 0 }
        || (!incident.State.IsFinal() && incident.FindGate(gateId) is { Outcome: not GateOutcome.Pending, ClosedAt: { } decided } && time.GetUtcNow() - decided > s_shownBy)
            ? updater.ShowGateAsync(incident, gateId, cancellationToken)
            : Task.CompletedTask;

    private static CardKind? Unsent(Incident incident, string gateId) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } gate && !incident.WasSent(gate) ? CardKind.Reminder : null;

    private async Task<GateStatus> AskAsync(Incident incident, Runbook runbook, string gateId, CardKind kind, bool alone, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId)!;
        if (gate.Outcome != GateOutcome.Pending)
        {
            // Once more for a process that died while it sent: what it sent may have come after the answer.
            await (incident.State.IsFinal() ? Task.CompletedTask : updater.ShowGateAsync(incident, gateId, cancellationToken));
            return StatusOf(incident, gateId);
        }

        if (!alone)
        {
            var next = await stormNotifier.AskAsync(incident, cancellationToken);
            return StatusOf(await store.GetAsync(incident.Id, cancellationToken), gateId, next);
        }

        var key = gate.MessageKey;
        (incident, gate, var people) = await FindPeopleAsync(incident, gate, key, gate.Approvers, cancellationToken);
        var result = await notifier.SendAsync(
            incident, key, gate.Approvers, recipient => cards.Approval(incident, runbook, gate, recipient.Name, kind), cancellationToken, people, incident.ToThoseWhoAnswered(gate));
        var message = result.Deliveries;
        incident = result.Incident;
        while (!Reach.IsEnough(message, gate) && incident.FindGate(gateId) is { Outcome: GateOutcome.Pending, NextFallback: { } last })
        {
            // Silence is never success: whoever is last in line may decide as well.
            incident = await store.UpdateAsync(incident.Id, i => ApprovalSchedule.Escalate(i, gateId, [last], time.GetUtcNow()), cancellationToken);
            if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } open)
            {
                // Somebody answered while a channel was still being tried.
                break;
            }

            (incident, gate, people) = await FindPeopleAsync(incident, open, $"{key}:{last}", [last], cancellationToken);
            result = await notifier.SendAsync(
                incident, $"{key}:{last}", [last], recipient => cards.Approval(incident, runbook, gate, recipient.Name, CardKind.Escalation), cancellationToken, people);
            (incident, message) = (result.Incident, [.. message, .. result.Deliveries]);
        }

        if (!Reach.IsEnough(message, gate))
        {
            incident = await store.UpdateAsync(incident.Id, i => ApprovalSchedule.AskAgain(i, gateId, time.GetUtcNow()), cancellationToken);
        }

        await ShowIfClosedAsync(incident, gateId, cancellationToken);
        return StatusOf(incident, gateId);
    }

    /// <summary>
    /// Who is behind the contacts for this message. Whom schedules mean is on record before anybody is asked: after a crash the
    /// same people are asked, and whoever was asked may decide.
    /// </summary>
    private async Task<(Incident Incident, Gate Gate, ResolvedContacts People)> FindPeopleAsync(Incident incident, Gate gate, string key, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var people = await directory.ResolveAsync(names, key, gate.OnCall, cancellationToken);
        if (people.OnCall.Except(gate.OnCall).Any())
        {
            incident = await store.UpdateAsync(incident.Id, i => i.RecordOnCall(gate.Id, people.OnCall), cancellationToken);
        }

        gate = incident.FindGate(gate.Id)!;
        return (incident, gate, await directory.ForAsync(people, [gate], cancellationToken));
    }

    /// <param name="askAt">When the question goes out, if it has not yet.</param>
    private GateStatus StatusOf(Incident incident, string gateId, DateTimeOffset? askAt = null)
    {
        var gate = incident.FindGate(gateId) ?? throw new InvalidOperationException($"Incident {incident.Id} has no gate '{gateId}'.");
        var (now, open) = (time.GetUtcNow(), gate.Outcome == GateOutcome.Pending);
        IEnumerable<DateTimeOffset?> due =
        [
            now + s_longestReviewPause,
            gate.ExpiresAt,
            askAt,
            .. gate.Reminders.Select(reminder => (DateTimeOffset?)reminder.At),
            Silence.MayCount(gate) ? now + Silence.ReviewPause(gate) : null,
            open && incident.NewsMark != incident.ShownNews ? now + s_newsPause : null,

            // A claim that came while the checks were asked about another woke nobody.
            open && incident.ClaimsRecovery && incident.CheckedClaim?.Answer != RecoveryAnswer.NoChecks ? incident.CheckedClaim?.AskedAt + s_claimPause ?? now : null,

            // The alerts of a flapping incident wake nobody, so that they cannot keep the workflow busy: it looks at them by itself.
            open && incident.Flaps(now) ? now + s_claimPause : null,
        ];
        return new GateStatus(gateId, gate.Outcome, due.Min()!.Value, gate.Outcome == GateOutcome.Approved ? null : gate.ClosedBy) { TakesBack = incident.Stop is { UndoesFix: true } };
    }
}
