using Microsoft.Extensions.Logging;
using Runbooks.Incidents;
using Runbooks.Storage;

namespace Runbooks.Messages;

/// <summary>
/// Brings a message to contacts: each recipient's channels in turn until one takes it. Failing channels never fail the
/// incident; what reached whom, and what did not, is recorded on it.
/// </summary>
public sealed class Messenger
{
    /// <summary>The longest that one attempt on one channel may take.</summary>
    private static readonly TimeSpan ChannelTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, INotifier> _channels;
    private readonly ContactBook _contacts;
    private readonly IIncidentStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<Messenger> _logger;

    /// <exception cref="ArgumentException">Two notifiers have the same channel.</exception>
    public Messenger(IEnumerable<INotifier> notifiers, ContactBook contacts, IIncidentStore store, TimeProvider time, ILogger<Messenger> logger)
    {
        _channels = notifiers.ToDictionary(notifier => notifier.Channel, StringComparer.OrdinalIgnoreCase);
        _contacts = contacts;
        _store = store;
        _time = time;
        _logger = logger;
    }

    /// <summary>Sends to every recipient of every contact.</summary>
    /// <param name="key">Names this message within the incident: what was delivered under it is not sent again.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    /// <returns>Whether it reached anybody.</returns>
    public async Task<bool> SendAsync(
        string incidentId, string key, IEnumerable<string> contacts, Func<Recipient, Card> cardFor, CancellationToken cancellationToken)
    {
        var incident = await _store.GetAsync(incidentId, cancellationToken);
        var deliveries = new List<Delivery>();
        foreach (var recipient in contacts.Distinct(StringComparer.OrdinalIgnoreCase).SelectMany(Find).DistinctBy(NameOf))
        {
            var deliveryKey = $"{key}:{NameOf(recipient)}";
            var earlier = incident.Deliveries.FirstOrDefault(d => d.Key == deliveryKey && d.Reached);
            deliveries.Add(earlier ?? await DeliverAsync(deliveryKey, recipient, cardFor(recipient), cancellationToken));
        }

        await RecordAsync(incidentId, deliveries.Except(incident.Deliveries).ToList(), cancellationToken);
        return deliveries.Exists(delivery => delivery.Reached);
    }

    /// <summary>Somebody may be listed twice, to be reached in two places at once.</summary>
    private static string NameOf(Recipient recipient) => $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    private IEnumerable<Recipient> Find(string contact)
    {
        if (_contacts.TryFind(contact, out var found))
        {
            return found.Recipients;
        }

        Log.UnknownContact(_logger, contact);
        return [];
    }

    private async Task<Delivery> DeliverAsync(string key, Recipient recipient, Card card, CancellationToken cancellationToken)
    {
        var failures = new List<string>();
        foreach (var address in recipient.Addresses)
        {
            var failure = await TryAsync(address, card, cancellationToken);
            if (failure is null)
            {
                return new Delivery(key, recipient.Name, address.Channel, _time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures));
            }

            failures.Add(failure);
        }

        return new Delivery(key, recipient.Name, null, _time.GetUtcNow(), failures.Count == 0 ? "no channel is configured" : string.Join(" ", failures));
    }

    private async Task<string?> TryAsync(Address address, Card card, CancellationToken cancellationToken)
    {
        if (!_channels.TryGetValue(address.Channel, out var notifier))
        {
            return $"{address.Channel}: no such channel is set up.";
        }

        using var timeout = new CancellationTokenSource(ChannelTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await notifier.SendAsync(card, address, either.Token).WaitAsync(either.Token);
            return null;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return $"{address.Channel}: no answer within {ChannelTimeout.TotalSeconds:0} s.";
        }
#pragma warning disable CA1031 // A channel may fail in any way; the next one is tried, and the failure is on the record.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Log.ChannelFailed(_logger, address.Channel, card.IncidentId, failure);
            return $"{address.Channel}: {failure.Message}";
        }
    }

    private Task RecordAsync(string incidentId, List<Delivery> deliveries, CancellationToken cancellationToken)
    {
        if (deliveries.Count == 0)
        {
            return Task.CompletedTask;
        }

        return _store.UpdateAsync(
            incidentId,
            incident => deliveries.Aggregate(
                incident with { Deliveries = [.. incident.Deliveries, .. deliveries] },
                (changed, delivery) => changed.Note(delivery.At, TimelineKind.Message, "runbook", delivery.Reached
                    ? $"Told {delivery.Contact} by {delivery.Channel}."
                    : $"Could not reach {delivery.Contact}: {delivery.Failure}")),
            cancellationToken);
    }
}
