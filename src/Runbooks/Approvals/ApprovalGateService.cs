using Runbooks.Notifications.Storms;

namespace Runbooks.Approvals;

/// <summary>Opens gates, and asks people. <see cref="ApprovalGateReview"/> looks after open ones.</summary>
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
    ClosedGuards closed,
    TimeProvider time)
{
    public async Task<GateStatus> OpenAsync(OpenGateRequest request, CancellationToken cancellationToken) =>
        await OpenAsync(request, await store.GetAsync(request.IncidentId, cancellationToken), cancellationToken);

    internal async Task<GateStatus> OpenAsync(OpenGateRequest request, Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var id = request.Step is null
            ? Gate.IdOf(request.Phase, request.Round)
            : Gate.IdOf(request.Phase, request.Step, request.Undoes);
        (incident, var atOnce) =
            request.Step is { } step ? (await AddTaskAsync(request, runbook, step, cancellationToken), false)
            : incident.FindGate(id) is null ? await AddQuestionAsync(request, incident, runbook, cancellationToken)
            : await TakeUpAsync(request, incident, id, cancellationToken);

        // An activity may run again when another process has ended the incident: then nobody is asked.
        if (incident.FindGate(id) is null)
        {
            return new(id, GateOutcome.Cancelled, time.GetUtcNow(), GateText.HowItEnded(incident));
        }

        // After a crash this runs again: messages that were delivered are not sent twice.
        return await AskAsync(incident, runbook, id, CardKind.ApprovalRequest, alone: !incident.InStorm || atOnce, cancellationToken);
    }

    private Task<Incident> AddTaskAsync(OpenGateRequest request, Runbook runbook, string step, CancellationToken cancellationToken) =>
        store.UpdateAsync(
            request.IncidentId,
            current => current.State.IsFinal()
                ? current
                : Add(
                    current,
                    ManualTaskFactory.Make(current, runbook, request.Phase, step, request.Undoes, time.GetUtcNow()),
                    request,
                    time.GetUtcNow()),
            cancellationToken);

    /// <returns>AtOnce: people are asked at once although the incident is one of a storm.</returns>
    private async Task<(Incident Incident, bool AtOnce)> AddQuestionAsync(
        OpenGateRequest request, Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        incident = (await checks.CheckClaimAsync(incident, runbook, cancellationToken)).RecordFindings(request.Findings, time.GetUtcNow());
        var plan = await plans.MakeAsync(incident, runbook, request.Phase, cancellationToken);
        var violations = await guardrails.EvaluateAsync(
            new GuardrailContext(incident, runbook, request.Phase, AboutToRun: false), cancellationToken);
        var place = incident.InStorm ? null : await storms.JoinAsync(incident, cancellationToken);
        incident = await store.UpdateAsync(
            request.IncidentId, current => current.State.IsFinal() ? current : AddGate(current), cancellationToken);
        return (incident, place?.AtOnce ?? false);

        Incident AddGate(Incident current)
        {
            var now = time.GetUtcNow();
            var checkedNow = current.RecordFindings(request.Findings, now);
            var gate = ApprovalGateFactory.Make(checkedNow, runbook, request, plan, violations, now);
            var separated = approvers.Separate(gate, checkedNow.StartedBy);
            return Add(checkedNow, separated, request, now) with { Storm = checkedNow.Storm ?? place?.StormId };
        }
    }

    /// <summary>A failed attempt has opened the gate, and the workflow may wait for another event by now.</summary>
    private async Task<(Incident Incident, bool AtOnce)> TakeUpAsync(
        OpenGateRequest request, Incident incident, string id, CancellationToken cancellationToken)
    {
        var atOnce = await storms.IsWorstAsync(incident, cancellationToken);
        if (incident.WakeEvent == request.WakeEvent)
        {
            return (incident, atOnce);
        }

        incident = await store.UpdateAsync(
            request.IncidentId,
            current => current.FindGate(id) is { Outcome: GateOutcome.Pending } ? current with { WakeEvent = request.WakeEvent } : current,
            cancellationToken);
        return (incident, atOnce);
    }

    private static Incident Add(Incident incident, Gate gate, OpenGateRequest request, DateTimeOffset now) =>
        incident.AddGate(gate, now) with { WakeEvent = request.WakeEvent, ShownNews = incident.NewsMark };

    internal async Task<GateStatus> AskAsync(
        Incident incident, Runbook runbook, string gateId, CardKind kind, bool alone, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId)!;
        if (gate.Outcome != GateOutcome.Pending)
        {
            // A process may have died while it sent, and its messages may have come after the answer.
            await (incident.State.IsFinal() ? Task.CompletedTask : updater.ShowGateAsync(incident, gateId, cancellationToken));
            return GateStatus.Of(incident, gateId, time.GetUtcNow());
        }

        if (!alone)
        {
            var next = await stormNotifier.AskAsync(incident, closed.FindManyAsync, cancellationToken);
            return GateStatus.Of(await store.GetAsync(incident.Id, cancellationToken), gateId, time.GetUtcNow(), next);
        }

        var (key, shown) = (gate.MessageKey, incident);
        (incident, gate, var people) = await notifier.FindPeopleAsync(incident, gate, key, gate.Approvers, cancellationToken);
        var result = await notifier.SendAsync(
            incident,
            new(key, gate.Approvers, recipient => cards.Approval(incident, runbook, gate, recipient.Name, kind))
            {
                People = people,
                Heard = incident.ToThoseWhoAnswered(gate),
            },
            cancellationToken);
        var message = result.Deliveries;
        incident = result.Incident;
        while (!Reach.IsEnough(message, gate) && incident.FindGate(gateId) is { Outcome: GateOutcome.Pending, NextFallback: { } last })
        {
            // Silence is never success: the last contact in line may decide as well.
            incident = await store.UpdateAsync(
                incident.Id, i => ApprovalSchedule.Escalate(i, gateId, [last], time.GetUtcNow()), cancellationToken);
            if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } open)
            {
                // Somebody answered while a channel was still being tried.
                break;
            }

            (incident, gate, people) = await notifier.FindPeopleAsync(incident, open, $"{key}:{last}", [last], cancellationToken);
            result = await notifier.SendAsync(
                incident,
                new($"{key}:{last}", [last], recipient => cards.Approval(incident, runbook, gate, recipient.Name, CardKind.Escalation)) { People = people },
                cancellationToken);
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

/// <param name="Findings">The answers to record; empty where they were recorded before.</param>
/// <param name="Unclear">No check failed, but the answers are too few: a person has to be asked.</param>
/// <param name="Difference">Why the approved plan no longer holds; null on the first round.</param>
public sealed record OpenGateRequest(
    string IncidentId, Phase Phase, int Round, IReadOnlyList<Finding> Findings, bool Unclear, string? Difference, string WakeEvent)
{
    public string? Step { get; init; }

    public bool Undoes { get; init; }
}
