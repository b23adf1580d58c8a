using Microsoft.Extensions.Logging;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Notifications;

/// <summary>
/// Brings a message about one incident to contacts. Failing channels never fail the incident; what reached whom, and what
/// did not, is recorded on it.
/// </summary>
public sealed class Messenger(Courier courier, ChannelSender channels, IIncidentStore store, ILogger<Messenger> logger)
{
    private const int MaxRecordings = 3;

    /// <summary>Sends to every recipient of every contact, to all at once.</summary>
    /// <param name="key">Names this message within the incident: what was delivered under it is not sent again.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    public async Task<SendResult> SendAsync(
        string incidentId, string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(incidentId, cancellationToken);
        var deliveries = await courier.BringAsync(key, to, cardFor, incident.Deliveries, cancellationToken);
        var news = deliveries.Except(incident.Deliveries).ToList();
        return new(deliveries.Any(delivery => delivery.Reached), news.Count == 0 ? incident : await RecordAsync(incident, news, cancellationToken));
    }

    /// <summary>Brings messages that were sent before up to date, all at once. Best effort: whoever presses a stale button is told as well.</summary>
    public async Task UpdateAsync(IEnumerable<Delivery> sent, Func<Delivery, Card> cardFor, CancellationToken cancellationToken) =>
        await Task.WhenAll(sent.Where(delivery => delivery is { Channel: not null, Reference: not null }).DistinctBy(delivery => (delivery.Channel, delivery.Reference))
            .Select(delivery => channels.TryUpdateAsync(delivery.Channel!, delivery.Reference!, cardFor(delivery), cancellationToken)));

    /// <summary>A message that was sent stays sent, also when the store cannot say so: then it may be sent again, and no incident fails over it.</summary>
    private async Task<Incident> RecordAsync(Incident incident, List<Delivery> deliveries, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.UpdateAsync(incident.Id, current => current.RecordDeliveries(deliveries), cancellationToken);
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
}

/// <param name="Reached">Whether it reached anybody.</param>
/// <param name="Incident">With the deliveries on it.</param>
public sealed record SendResult(bool Reached, Incident Incident);
