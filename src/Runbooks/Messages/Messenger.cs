using Microsoft.Extensions.Logging;
using Runbooks.Incidents;
using Runbooks.Storage;

namespace Runbooks.Messages;

/// <summary>
/// Brings a message to contacts: each recipient's channels in turn until one takes it. Failing channels never fail the
/// incident; what reached whom, and what did not, is recorded on it.
/// </summary>
public sealed class Messenger(ChannelSender channels, ContactBook contacts, IIncidentStore store, TimeProvider time, ILogger<Messenger> logger)
{
    private const int MaxRecordings = 3;
    private const string NobodyBehind = "nobody is behind this contact.";

    /// <summary>Sends to every recipient of every contact, to all at once.</summary>
    /// <param name="key">Names this message within the incident: what was delivered under it is not sent again.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    public async Task<SendResult> SendAsync(
        string incidentId, string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, CancellationToken cancellationToken)
    {
        var names = to.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var incident = await store.GetAsync(incidentId, cancellationToken);
        var deliveries = (await Task.WhenAll(contacts.Behind(names).DistinctBy(NameOf).Select(recipient =>
            OnceAsync(incident, $"{key}:{NameOf(recipient)}", recipient, cardFor, cancellationToken)))).ToList();
        foreach (var missing in contacts.Missing(names))
        {
            Log.UnknownContact(logger, missing);
            deliveries.Add(Earlier(incident, $"{key}:{missing}?") ?? new Delivery($"{key}:{missing}?", missing, null, time.GetUtcNow(), NobodyBehind));
        }

        var news = deliveries.Except(incident.Deliveries).ToList();
        return new(deliveries.Exists(delivery => delivery.Reached), news.Count == 0 ? incident : await RecordAsync(incident, news, cancellationToken));
    }

    /// <summary>Brings messages that were sent before up to date, all at once. Best effort: whoever presses a stale button is told as well.</summary>
    public async Task UpdateAsync(IEnumerable<Delivery> sent, Func<Delivery, Card> cardFor, CancellationToken cancellationToken) =>
        await Task.WhenAll(sent.Where(delivery => delivery is { Channel: not null, Reference: not null }).DistinctBy(delivery => (delivery.Channel, delivery.Reference))
            .Select(delivery => channels.TryUpdateAsync(delivery.Channel!, delivery.Reference!, cardFor(delivery), cancellationToken)));

    /// <summary>Somebody may be listed twice, to be reached in two places at once; the same place in two contacts is one.</summary>
    private static string NameOf(Recipient recipient) => $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    private static Delivery? Earlier(Incident incident, string key) => incident.Deliveries.FirstOrDefault(delivery => delivery.Key == key);

    private async Task<Delivery> OnceAsync(Incident incident, string key, Recipient recipient, Func<Recipient, Card> cardFor, CancellationToken cancellationToken) =>
        incident.Deliveries.FirstOrDefault(delivery => delivery.Key == key && delivery.Reached)
        ?? await DeliverAsync(key, recipient, cardFor(recipient) with { Key = key }, cancellationToken);

    private async Task<Delivery> DeliverAsync(string key, Recipient recipient, Card card, CancellationToken cancellationToken)
    {
        var failures = new List<string>();
        foreach (var address in recipient.Addresses)
        {
            var (reference, failure) = await channels.TrySendAsync(card, address, cancellationToken);
            if (failure is null)
            {
                return new Delivery(key, recipient.Name, address.Channel, time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures), reference);
            }

            failures.Add(failure);
        }

        return new Delivery(key, recipient.Name, null, time.GetUtcNow(), failures.Count == 0 ? "no channel is configured." : string.Join(" ", failures));
    }

    /// <summary>A message that was sent stays sent, also when the store cannot say so: then it may be sent again, and no incident fails over it.</summary>
    private async Task<Incident> RecordAsync(Incident incident, List<Delivery> deliveries, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.UpdateAsync(incident.Id, current => Add(current, deliveries), cancellationToken);
            }
#pragma warning disable CA1031 // Whatever the store's trouble is: the messages are out, and delivery never fails the incident.
            catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.DeliveryNotRecorded(logger, incident.Id, trouble);
                if (attempt == MaxRecordings)
                {
                    return incident;
                }
            }
        }
    }

    private static Incident Add(Incident incident, List<Delivery> deliveries) => deliveries.Aggregate(
        incident with { Deliveries = [.. incident.Deliveries, .. deliveries] },
        (changed, delivery) => changed.Note(delivery.At, TimelineKind.Message, "runbook", delivery switch
        {
            { Reached: true, Failure: null } => $"Told {delivery.Contact} by {delivery.Channel}.",
            { Reached: true } => $"Told {delivery.Contact} by {delivery.Channel}, after: {delivery.Failure}",
            _ => $"Could not reach {delivery.Contact}: {delivery.Failure}",
        }));
}

/// <param name="Reached">Whether it reached anybody.</param>
/// <param name="Incident">With the deliveries on it.</param>
public sealed record SendResult(bool Reached, Incident Incident);
