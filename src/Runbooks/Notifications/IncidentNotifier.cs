using Microsoft.Extensions.Logging;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Notifications;

/// <summary>
/// Brings a message about one incident to contacts. Failing channels never fail the incident; what reached whom, and what
/// did not, is recorded on it.
/// </summary>
public sealed class IncidentNotifier(NotificationDispatcher dispatcher, IIncidentStore store, TimeProvider time, ILogger<IncidentNotifier> logger)
{
    /// <summary>Sends to every recipient of every contact, to all at once.</summary>
    /// <param name="incident">As it was just read or written: it says what was delivered before.</param>
    /// <param name="key">Names this message within the incident: what was delivered under it is not sent again.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    /// <param name="people">Who is behind the contacts, where that is known already; null for whoever it is now.</param>
    public async Task<SendResult> SendAsync(
        Incident incident, string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, CancellationToken cancellationToken, ResolvedContacts? people = null)
    {
        var deliveries = await dispatcher.SendAsync(key, to, cardFor, incident.Deliveries, cancellationToken, people);
        var news = deliveries.Except(incident.Deliveries).ToList();
        return new(deliveries.Any(delivery => delivery.Reached), news.Count == 0 ? incident : await RecordAsync(incident, news, cancellationToken))
        {
            HandedTo = deliveries.Any(delivery => delivery is { Reached: true, IsHandedOver: false }) ? [] : [.. deliveries.Where(delivery => delivery.Reached).Select(delivery => delivery.Channel!).Distinct(StringComparer.OrdinalIgnoreCase)],
        };
    }

    /// <summary>A message that was sent stays sent, also when the store cannot say so: then it may be sent again, and no incident fails over it.</summary>
    private async Task<Incident> RecordAsync(Incident incident, List<Delivery> deliveries, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RecordAsync(incident.Id, current => current.RecordDeliveries([.. deliveries.Except(current.Deliveries)]), time);
        }
#pragma warning disable CA1031 // Whatever the store's trouble is: the messages are out, and delivery never fails the incident.
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Log.DeliveryNotRecorded(logger, incident.Id, trouble);
            return incident;
        }
    }
}

/// <param name="Reached">Whether it reached anybody.</param>
/// <param name="Incident">With the deliveries on it.</param>
public sealed record SendResult(bool Reached, Incident Incident)
{
    /// <summary>The channels that only took the message on, where no other took it: whether it arrived is not known.</summary>
    public IReadOnlyList<string> HandedTo { get; init; } = [];
}

/// <summary>Who hears how an incident ended.</summary>
public static class NotificationRecipients
{
    /// <summary>
    /// Whoever was asked. Where nobody was asked, only what acted or what failed is told, what told nobody yet, and that the checks
    /// saw nothing to do while the alert fires.
    /// </summary>
    public static IReadOnlyList<string> Of(Incident incident, Runbook runbook)
    {
        var listeners = Asked(incident).ToList();
        if (listeners.Count == 0 && !HasTold(incident) && (incident.Steps.Count > 0 || incident.LatestGate?.Outcome == GateOutcome.DiagnosedOnly || (incident.State == IncidentState.NotNeeded && incident.IsWorthTelling)))
        {
            listeners.AddRange(runbook.Mitigation.Approval?.From ?? [runbook.Fallback]);
        }

        if (incident.State is IncidentState.Failed or IncidentState.Expired)
        {
            listeners.Add(runbook.Fallback);
        }

        listeners.AddRange(DecidedOnCall(incident));
        return listeners;
    }

    // A runbook that only tells has told whom it is for: one more message to somebody else would be noise.
    private static bool HasTold(Incident incident) =>
        incident.Deliveries.Count > 0 && incident.Steps.All(step => step.Preparation.TellsOnly && step.Status == StepStatus.Done);

    /// <summary>Who hears that a temporary fix is in place: whoever was asked about it, or would have been.</summary>
    public static IReadOnlyList<string> OfHold(Incident incident, Runbook runbook) =>
        [.. Asked(incident).ToList() is { Count: > 0 } asked ? asked : runbook.Mitigation.Approval?.From ?? [runbook.Fallback], .. DecidedOnCall(incident)];

    /// <summary>Whoever decided what a schedule was asked about hears how it goes on, also when somebody else is on call by then.</summary>
    private static IEnumerable<string> DecidedOnCall(Incident incident) =>
        incident.Gates.Where(gate => gate.OnCall.Count > 0).SelectMany(gate => gate.Decisions).Select(decision => ContactBook.Person(decision.Person)).Distinct(StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> Asked(Incident incident) =>
        incident.Gates.Where(gate => incident.HasDelivery($"{gate.Id}:")).SelectMany(gate => gate.Approvers);
}
