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
    public Task<Delivery> SendToAsync(string key, Recipient recipient, Card card, CancellationToken cancellationToken) =>
        DeliverAsync(KeyFor(key, recipient), recipient, card with { Key = KeyFor(key, recipient) }, cancellationToken);

    /// <summary>The key of one recipient's delivery of the message that <paramref name="key"/> names.</summary>
    public static string KeyFor(string key, Recipient recipient) => $"{key}:{NameOf(recipient)}";

    /// <summary>Somebody may be listed twice, to be reached in two places at once; the same place in two contacts is one.</summary>
    public static string NameOf(Recipient recipient) => $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    private async Task<Delivery> OnceAsync(
        string key, Recipient recipient, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken) =>
        earlier.FirstOrDefault(delivery => delivery.Key == key && delivery.Channel is not null)
        ?? await DeliverAsync(key, recipient, cardFor(recipient) with { Key = key }, cancellationToken);

    private async Task<Delivery> DeliverAsync(string key, Recipient recipient, Card card, CancellationToken cancellationToken)
    {
        card = card.For(recipient);
        var failures = new List<string>();
        foreach (var address in recipient.Addresses)
        {
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
}
