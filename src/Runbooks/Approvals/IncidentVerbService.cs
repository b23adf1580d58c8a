namespace Runbooks.Approvals;

/// <summary>What a person does with an incident other than deciding.</summary>
public sealed class IncidentVerbService(
    IIncidentStore store,
    PinnedRunbooks pinned,
    IIncidentEngine engine,
    NotificationUpdater updater,
    FollowUps followUps,
    EndHooks endHooks,
    TimeProvider time,
    ILogger<IncidentVerbService> logger)
{
    /// <summary>Stops the automation. An incident that has ended is not changed.</summary>
    public async Task<DecisionReceipt> StopAsync(string incidentId, string by, string reason, CancellationToken cancellationToken)
    {
        var receipt = await UpdateAsync(incidentId, current => Stop(current, by, reason), cancellationToken);
        return await WakeAsync(receipt, stop => ContactBook.IsSameName(stop.By, by));
    }

    /// <summary>Takes the changes back now, and ends the incident with that.</summary>
    public async Task<DecisionReceipt> TakeBackAsync(string incidentId, string by, string reason, CancellationToken cancellationToken)
    {
        var receipt = await UpdateAsync(incidentId, current => TakeBack(current, by, reason), cancellationToken);
        return await WakeAsync(receipt, stop => stop.TakesBack && ContactBook.IsSameName(stop.By, by));
    }

    /// <summary>A person takes on what the end of an incident left to people.</summary>
    public async Task<DecisionReceipt> AcknowledgeAsync(string incidentId, string by, string? note, CancellationToken cancellationToken)
    {
        var receipt = await UpdateAsync(incidentId, current => Acknowledge(current, by, note), cancellationToken);
        if (receipt is { Result.Status: DecisionStatus.Decided or DecisionStatus.AlreadyCounted, Incident: { } seenTo })
        {
            await ShowAcknowledgedAsync(seenTo, cancellationToken);
        }

        return receipt;
    }

    /// <summary>Safe to repeat; the watchdog does so where this failed.</summary>
    public async Task ShowAcknowledgedAsync(Incident seenTo, CancellationToken cancellationToken)
    {
        if (seenTo is { Attention: not null, ClosedByHand: null })
        {
            await logger.TryShowAsync(() => updater.ShowAcknowledgedAsync(seenTo, cancellationToken), seenTo.Id, cancellationToken);
        }

        if (seenTo.RetriedAs is not null)
        {
            await logger.TryShowAsync(() => endHooks.RunAsync(seenTo, cancellationToken), seenTo.Id, cancellationToken);
        }

        await logger.TryShowAsync(
            () => store.UpdateAsync(seenTo.Id, i => i.FinishShowing(), CancellationToken.None), seenTo.Id, CancellationToken.None);
    }

    public Task<DecisionReceipt> AddNoteAsync(string incidentId, string by, string text, CancellationToken cancellationToken) =>
        UpdateAsync(incidentId, current => current.AddNote(by, text, time.GetUtcNow()), cancellationToken);

    /// <summary>For an incident that a person took over, or that needed one: only a person can say that it is over.</summary>
    public async Task<DecisionReceipt> CloseAsync(string incidentId, string by, string reason, CancellationToken cancellationToken)
    {
        var receipt = await UpdateAsync(incidentId, current => Close(current, by, reason), cancellationToken);
        if (receipt is { Result.Status: DecisionStatus.Decided, Incident: { } closed })
        {
            closed = await FinishClosingAsync(closed, cancellationToken);
            var message = $"{receipt.Result.Message}{StopText.AfterClosing(closed)}";
            receipt = receipt with { Incident = closed, Result = receipt.Result with { Message = message } };
        }

        var isRepeated = receipt is { Result.Status: DecisionStatus.AlreadyClosed, Incident.ClosedByHand: { } closing }
            && ContactBook.IsSameName(closing.By, by);
        return receipt with { IsRepeated = isRepeated };
    }

    /// <summary>Safe to repeat; the watchdog does so where this failed.</summary>
    public async Task<Incident> FinishClosingAsync(Incident closed, CancellationToken cancellationToken)
    {
        // A closed page does not cancel this: alerts that nobody looked at must not be forgotten.
        closed = closed.BegunSinceTakenOver().Count > 0
            ? await followUps.OpenAsync(closed, await pinned.OfAsync(closed, CancellationToken.None), CancellationToken.None)
            : closed;
        await logger.TryShowAsync(() => updater.ShowClosedAsync(closed, cancellationToken), closed.Id, cancellationToken);

        // Nor must a closed page keep a ticket open.
        await logger.TryShowAsync(() => endHooks.RunAsync(closed, CancellationToken.None), closed.Id, CancellationToken.None);
        await logger.TryShowAsync(
            () => store.UpdateAsync(closed.Id, i => i.FinishClosing(), CancellationToken.None), closed.Id, CancellationToken.None);
        return closed.FinishClosing();
    }

    private async Task<DecisionReceipt> UpdateAsync(
        string incidentId, Func<Incident, (Incident, DecisionResult)> change, CancellationToken cancellationToken)
    {
        try
        {
            var (incident, result) = await store.UpdateAsync(incidentId, change, cancellationToken);
            return new(incident, result);
        }
        catch (KeyNotFoundException)
        {
            return DecisionReceipt.NotFound(incidentId);
        }
    }

    /// <summary>A second press of the button may come after the end that the first one caused.</summary>
    private async Task<DecisionReceipt> WakeAsync(DecisionReceipt receipt, Func<StopRequest, bool> isSame)
    {
        if (receipt.Incident is not { } incident)
        {
            return receipt;
        }

        await engine.TryWakeAsync(incident, logger);
        var isRepeated = receipt.Result.Status == DecisionStatus.AlreadyClosed && incident.Stop is { } stop && isSame(stop);
        return receipt with { IsRepeated = isRepeated };
    }

    private (Incident, DecisionResult) Close(Incident incident, string by, string reason)
    {
        if (incident.CanBeClosedByHand())
        {
            return (incident.CloseByHand(by, reason, time.GetUtcNow()).BeginClosing(), new(DecisionStatus.Decided, "It is closed."));
        }

        return (incident, incident.State.IsFinal()
            ? new(DecisionStatus.AlreadyClosed, GateText.HowItEnded(incident))
            : new(DecisionStatus.NotAllowed, StillRuns(incident)));
    }

    private (Incident, DecisionResult) Acknowledge(Incident incident, string by, string? note) => incident switch
    {
        { NeedsPerson: true } =>
            (incident.Acknowledge(by, note, time.GetUtcNow()).BeginShowing(), new(DecisionStatus.Decided, "It is acknowledged.")),
        { Attention: { AcknowledgedBy: { } first, AcknowledgedAt: { } at } } =>
            (incident, new(DecisionStatus.AlreadyCounted, $"{first} has been seeing to it since {GateText.Clock(at, time.GetUtcNow())}.")),
        _ when incident.State.IsFinal() =>
            (incident, new(DecisionStatus.AlreadyClosed, $"Nobody is needed. {GateText.HowItEnded(incident)}")),
        _ => (incident, new(DecisionStatus.NotAllowed, StillRuns(incident))),
    };

    private (Incident, DecisionResult) TakeBack(Incident incident, string by, string reason) => incident switch
    {
        { Stop: { TakesBack: true } earlier } when !incident.State.IsFinal() =>
            (incident, new(
                DecisionStatus.AlreadyCounted,
                $"{earlier.By} asked for this at {GateText.Clock(earlier.At, time.GetUtcNow())} already; "
                    + "it is taken back before anything else runs.")),
        _ when incident.State.IsFinal() => (incident, new(DecisionStatus.AlreadyClosed, GateText.HowItEnded(incident))),
        _ when ChangeText.InPlace(incident).Count == 0 => (incident, new(
            DecisionStatus.NotAllowed, $"Incident {incident.Id} has changed nothing that could be taken back. To end it, stop it.")),
        _ => (incident.RequestStop(new StopRequest(by, reason, time.GetUtcNow(), TakesBack: true)), new(
            DecisionStatus.Decided,
            "It is on record: what can be taken back is taken back next, and the incident ends. "
                + "While the kill switch is on it waits.")),
    };

    private static string StillRuns(Incident incident)
    {
        var next = incident.Stop is { } stop
            ? $"{stop.By} has asked for it to be stopped."
            : $"To end that, {(incident.OpenGate is null ? "stop it" : "take it over or stop it")}.";
        return $"Incident {incident.Id} is still run by the automation. {next}";
    }

    private (Incident, DecisionResult) Stop(Incident incident, string by, string reason)
    {
        if (incident.State.IsFinal())
        {
            return (incident, new(DecisionStatus.AlreadyClosed, GateText.HowItEnded(incident)));
        }

        if (incident.Stop is { } earlier)
        {
            return (incident, new(
                DecisionStatus.AlreadyCounted,
                $"{earlier.By} asked for this at {GateText.Clock(earlier.At, time.GetUtcNow())} already; "
                    + $"it stops before the next step. {StopText.Of(incident)}"));
        }

        return (incident.RequestStop(new StopRequest(by, reason, time.GetUtcNow())), new(
            DecisionStatus.Decided, $"It stops before the next step. {StopText.Of(incident)}"));
    }
}

internal static class Showing
{
    /// <summary>The person's action is on record; a failure to update the cards must not make it look otherwise.</summary>
    public static async Task TryShowAsync(this ILogger logger, Func<Task> show, string incidentId, CancellationToken cancellationToken)
    {
        try
        {
            await show();
        }
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CardsNotUpdated(logger, incidentId, trouble);
        }
    }
}
