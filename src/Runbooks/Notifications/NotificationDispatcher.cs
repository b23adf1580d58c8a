using Microsoft.Extensions.Logging;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications;

/// <summary>Takes one message to everybody behind some contacts: each recipient's channels in turn until one takes it.</summary>
public sealed class NotificationDispatcher(ChannelClient channels, OnCallDirectory directory, TimeProvider time, ILogger<NotificationDispatcher> logger)
{
    private const string NobodyBehind = "nobody is behind this contact.";

    /// <param name="key">Names this message; each delivery's key begins with it.</param>
    /// <param name="to">Contacts. One that nobody is behind counts as the fallback, and is reported.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    /// <param name="earlier">What was delivered under these keys before is not sent again.</param>
    /// <param name="people">Who is behind the contacts, where that is known already; null for whoever it is now.</param>
    /// <returns>What reached whom, the earlier ones included. A failing channel is no exception.</returns>
    public async Task<IReadOnlyList<Delivery>> SendAsync(
        string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken, ResolvedContacts? people = null)
    {
        var names = to.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        people ??= await directory.ResolveAsync(names, cancellationToken);
        var deliveries = (await Task.WhenAll(people.RecipientsOf(names).Select(recipient =>
            OnceAsync(KeyFor(key, recipient), recipient, cardFor, earlier, cancellationToken)))).ToList();
        deliveries.AddRange(Missing(key, names, people).Select(missing => earlier.FirstOrDefault(delivery => delivery.Key == missing.Key) ?? missing));
        return deliveries;
    }

    /// <summary>Who is behind these contacts now.</summary>
    public Task<ResolvedContacts> ResolveAsync(IEnumerable<string> names, CancellationToken cancellationToken) => directory.ResolveAsync(names, cancellationToken);

    /// <summary>The contacts that nobody is behind, as deliveries that failed.</summary>
    public IEnumerable<Delivery> Missing(string key, IEnumerable<string> names, ResolvedContacts people)
    {
        foreach (var missing in people.Book.Missing(names))
        {
            Log.UnknownContact(logger, missing);
            yield return new Delivery($"{key}:{missing}?", missing, null, time.GetUtcNow(), NobodyBehind);
        }

        foreach (var empty in people.OnCallOf(names).Where(record => record.From == OnCallFrom.FallbackContact))
        {
            Log.NobodyOnCall(logger, empty.Contact, empty.Words);
            yield return new Delivery($"{key}:{empty.Contact}?", empty.Contact, null, time.GetUtcNow(), empty.Words);
        }
    }

    /// <summary>Sends to one recipient.</summary>
    /// <param name="alerts">What the recipient was called up for before, and hears the end of by this card.</param>
    public Task<Delivery> SendToAsync(string key, Recipient recipient, Card card, IReadOnlyList<Delivery> alerts, CancellationToken cancellationToken) =>
        DeliverAsync(KeyFor(key, recipient), recipient, card with { Key = KeyFor(key, recipient) }, alerts, cancellationToken);

    /// <summary>Brings messages that were sent before up to date, all at once. Best effort: whoever presses a stale button is told as well.</summary>
    public async Task UpdateAsync(IEnumerable<Delivery> sent, Func<Delivery, Card> cardFor, CancellationToken cancellationToken) =>
        await Task.WhenAll(sent.Where(delivery => delivery is { Channel: not null, Reference: not null }).DistinctBy(delivery => (delivery.Channel, delivery.Reference))
            .Select(delivery => channels.TryUpdateAsync(delivery.Channel!, delivery.Reference!, cardFor(delivery), cancellationToken)));

    /// <summary>Whether it called somebody up, on a channel where that has to be ended.</summary>
    public bool IsAlert(Delivery delivery) => delivery is { Channel: { } channel, Reference: not null } && channels.Rings(channel);

    /// <summary>The key of one recipient's delivery of the message that <paramref name="key"/> names.</summary>
    public static string KeyFor(string key, Recipient recipient) => $"{key}:{NameOf(recipient)}";

    /// <summary>Somebody may be listed twice, to be reached in two places at once; the same place in two contacts is one.</summary>
    public static string NameOf(Recipient recipient) => $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    private async Task<Delivery> OnceAsync(
        string key, Recipient recipient, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken) =>
        earlier.FirstOrDefault(delivery => delivery.Key == key && delivery.Channel is not null)
        ?? await DeliverAsync(key, recipient, cardFor(recipient) with { Key = key }, earlier, cancellationToken);

    private async Task<Delivery> DeliverAsync(string key, Recipient recipient, Card card, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken)
    {
        card = card.For(recipient);
        var failures = new List<string>();
        foreach (var address in AddressesFor(card, recipient, earlier))
        {
            if (AlertsOf(card, recipient, address.Channel, earlier) is { Count: > 0 } alerts && (await Task.WhenAll(alerts.Select(alert => channels.TryUpdateAsync(address.Channel, alert.Reference!, card, cancellationToken)))).All(ended => ended))
            {
                return new Delivery(key, recipient.Name, address.Channel, time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures));
            }

            var (receipt, failure) = await channels.TrySendAsync(card, address, cancellationToken);
            if (failure is null)
            {
                return new Delivery(key, recipient.Name, address.Channel, time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures), recipient.IsStranger ? null : receipt.Reference)
                {
                    IsStranger = recipient.IsStranger,
                    IsHandedOver = receipt.IsHandedOver,
                };
            }

            failures.Add(failure);
        }

        return new Delivery(key, recipient.Name, null, time.GetUtcNow(), failures.Count == 0 ? "no channel is configured." : string.Join(" ", failures));
    }

    /// <summary>What nobody has to act on calls nobody up while another channel takes it.</summary>
    private IEnumerable<Address> AddressesFor(Card card, Recipient recipient, IReadOnlyList<Delivery> earlier) => card.Informs
        ? recipient.Addresses.OrderBy(address => channels.Rings(address.Channel) && AlertsOf(card, recipient, address.Channel, earlier).Count == 0)
        : recipient.Addresses;

    /// <summary>The alerts of this recipient that a card ends: their end says as much as another call would.</summary>
    private List<Delivery> AlertsOf(Card card, Recipient recipient, string channel, IReadOnlyList<Delivery> earlier) => card is { IsEnd: true, Informs: true }
        ? [.. earlier.Where(delivery => IsAlert(delivery) && delivery.Channel == channel && delivery.Contact == recipient.Name)]
        : [];
}
