using Microsoft.Extensions.Logging;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications;

/// <summary>Takes one message to everybody behind some contacts: each recipient's channels in turn until one takes it.</summary>
public sealed class NotificationDispatcher(ChannelClient channels, CurrentContacts contacts, TimeProvider time, ILogger<NotificationDispatcher> logger)
{
    private const string NobodyBehind = "nobody is behind this contact.";

    /// <param name="key">Names this message; each delivery's key begins with it.</param>
    /// <param name="to">Contacts. One that nobody is behind counts as the fallback, and is reported.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    /// <param name="earlier">What was delivered under these keys before is not sent again.</param>
    /// <returns>What reached whom, the earlier ones included. A failing channel is no exception.</returns>
    public async Task<IReadOnlyList<Delivery>> SendAsync(
        string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken)
    {
        var book = contacts.Book;
        var names = to.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var deliveries = (await Task.WhenAll(book.RecipientsOf(names).DistinctBy(NameOf).Select(recipient =>
            OnceAsync($"{key}:{NameOf(recipient)}", recipient, cardFor, earlier, cancellationToken)))).ToList();
        foreach (var missing in book.Missing(names))
        {
            Log.UnknownContact(logger, missing);
            var unknown = $"{key}:{missing}?";
            deliveries.Add(earlier.FirstOrDefault(delivery => delivery.Key == unknown) ?? new Delivery(unknown, missing, null, time.GetUtcNow(), NobodyBehind));
        }

        return deliveries;
    }

    /// <summary>Somebody may be listed twice, to be reached in two places at once; the same place in two contacts is one.</summary>
    private static string NameOf(Recipient recipient) => $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    private async Task<Delivery> OnceAsync(
        string key, Recipient recipient, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken) =>
        earlier.FirstOrDefault(delivery => delivery.Key == key && delivery.Reached)
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
}
