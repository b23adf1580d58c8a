using Runbooks.Model.Incidents;
using Runbooks.Storage;

namespace Runbooks.Notifications;

/// <summary>One record, many views: brings cards that were sent before up to date with the record.</summary>
public sealed class NotificationUpdater(PinnedRunbooks runbooks, IncidentNotifier notifier, IncidentCards cards)
{
    /// <summary>Every card that asked this question: who decided, or who has approved so far.</summary>
    public async Task ShowGateAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        var sent = Of(incident, gateId);
        if (sent.Count == 0 || incident.FindGate(gateId) is not { } gate)
        {
            return;
        }

        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        await notifier.UpdateAsync(
            sent,
            delivery => gate.Outcome == GateOutcome.Pending
                ? cards.Approval(incident, runbook, gate, delivery.Contact, CardKind.ApprovalRequest)
                : cards.Decided(incident, runbook, gate),
            cancellationToken);
    }

    /// <summary>Every card of the incident: how it ended.</summary>
    public Task ShowEndAsync(Incident incident, Card card, CancellationToken cancellationToken)
    {
        // A card that reports an end is new and says so already.
        var sent = incident.Deliveries.Where(delivery => !delivery.Key.StartsWith("closed", StringComparison.Ordinal)).ToList();
        return notifier.UpdateAsync(sent, delivery => GateOf(incident, delivery) is { } gate ? IncidentCards.Ended(card, gate) : card, cancellationToken);
    }

    /// <summary>Closed by hand: the cards of an incident that somebody owned.</summary>
    public async Task ShowClosedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        await ShowEndAsync(incident, cards.Closed(incident, runbook), cancellationToken);
    }

    private static Gate? GateOf(Incident incident, Delivery delivery) =>
        incident.Gates.FirstOrDefault(gate => delivery.Key.StartsWith($"{gate.Id}:", StringComparison.Ordinal));

    private static List<Delivery> Of(Incident incident, string gateId) =>
        [.. incident.Deliveries.Where(delivery => delivery.Reference is not null && delivery.Key.StartsWith($"{gateId}:", StringComparison.Ordinal))];
}
