using Runbooks.Notifications.Storms;

namespace Runbooks.Approvals;

/// <summary>Opens gates, and asks people. <see cref="ApprovalGateReview"/> looks after what is open.</summary>
public sealed class ApprovalGateService(
    IIncidentStore store,
    PinnedRunbooks pinned,
    PlanBuilder plans,
    GuardrailEvaluator guardrails,
    CheckService checks,
    ApproverRules approvers,
    IncidentNotifier notifier,
    IncidentCards cards,
    NotificationUpdater updater,
    StormRegistry storms,
    StormApprovalNotifier stormNotifier,
    TimeProvider time)
{
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

    internal async Task<GateStatus> AskAsync(Incident incident, Runbook runbook, string gateId, CardKind kind, bool alone, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId)!;
        if (gate.Outcome != GateOutcome.Pending)
        {
            // Once more for a process that died while it sent: what it sent may have come after the answer.
            await (incident.State.IsFinal() ? Task.CompletedTask : updater.ShowGateAsync(incident, gateId, cancellationToken));
            return GateStatus.Of(incident, gateId, time.GetUtcNow());
        }

        if (!alone)
        {
            var next = await stormNotifier.AskAsync(incident, cancellationToken);
            return GateStatus.Of(await store.GetAsync(incident.Id, cancellationToken), gateId, time.GetUtcNow(), next);
        }

        var (key, shown) = (gate.MessageKey, incident);
        (incident, gate, var people) = await notifier.FindPeopleAsync(incident, gate, key, gate.Approvers, cancellationToken);
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

            (incident, gate, people) = await notifier.FindPeopleAsync(incident, open, $"{key}:{last}", [last], cancellationToken);
            result = await notifier.SendAsync(
                incident, $"{key}:{last}", [last], recipient => cards.Approval(incident, runbook, gate, recipient.Name, CardKind.Escalation), cancellationToken, people);
            (incident, message) = (result.Incident, [.. message, .. result.Deliveries]);
        }

        if (!Reach.IsEnough(message, gate))
        {
            incident = await store.UpdateAsync(incident.Id, i => ApprovalSchedule.AskAgain(i, gateId, time.GetUtcNow()), cancellationToken);
        }

        await updater.ShowIfAnsweredAsync(shown, incident, gateId, cancellationToken);
        return GateStatus.Of(incident, gateId, time.GetUtcNow());
    }
}
