using Runbooks.Telemetry;

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
    /// <param name="heard">What reached those who need not hear of it again.</param>
    public async Task<SendResult> SendAsync(
        Incident incident, string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, CancellationToken cancellationToken, ResolvedContacts? people = null, IEnumerable<Delivery>? heard = null)
    {
        var deliveries = await dispatcher.SendAsync(key, to, cardFor, incident.Deliveries, cancellationToken, people, heard);
        var news = deliveries.Except(incident.Deliveries).ToList();
        return new(deliveries, news.Count == 0 ? incident : await RecordAsync(incident, news, cancellationToken));
    }

    /// <summary>A message that was sent stays sent, also when the store cannot say so: then it may be sent again, and no incident fails over it.</summary>
    private async Task<Incident> RecordAsync(Incident incident, List<Delivery> deliveries, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RecordAtOnceAsync(incident.Id, current => current.RecordDeliveries([.. deliveries.ExceptBy(current.Deliveries.Select(known => (known.Key, known.At)), one => (one.Key, one.At))]), time);
        }
        // Whatever the store's trouble is: the messages are out, and delivery never fails the incident.
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.DeliveryNotRecorded(logger, incident.Id, trouble);
            return incident;
        }
    }
}

/// <param name="Deliveries">Of this message, those before it was repeated included.</param>
/// <param name="Incident">With the deliveries on it.</param>
public sealed record SendResult(IReadOnlyList<Delivery> Deliveries, Incident Incident)
{
    /// <summary>Whether it reached anybody.</summary>
    public bool Reached => Deliveries.Any(delivery => delivery.Reached);

    /// <summary>The channels that only took the message on, where no other took it: whether it arrived is not known.</summary>
    public IReadOnlyList<string> HandedTo => Deliveries.Any(delivery => delivery is { Reached: true, IsHandedOver: false })
        ? []
        : [.. Deliveries.Where(delivery => delivery.Reached).Select(delivery => delivery.Channel!).Distinct(StringComparer.OrdinalIgnoreCase)];
}

/// <summary>Takes one message to everybody behind some contacts: each recipient's channels in turn until one takes it.</summary>
public sealed class NotificationDispatcher(ChannelClient channels, OnCallDirectory directory, TimeProvider time, ILogger<NotificationDispatcher> logger)
{
    private const string NobodyBehind = "nobody is behind this contact.";

    /// <param name="key">Names this message; each delivery's key begins with it.</param>
    /// <param name="to">Contacts. One that nobody is behind counts as the fallback, and is reported.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    /// <param name="earlier">What was delivered under these keys before is not sent again.</param>
    /// <param name="people">Who is behind the contacts, where that is known already; null for whoever it is now.</param>
    /// <param name="heard">What reached those who need not hear of it again.</param>
    /// <returns>What reached whom, the earlier ones included. A failing channel is no exception.</returns>
    public async Task<IReadOnlyList<Delivery>> SendAsync(
        string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken, ResolvedContacts? people = null, IEnumerable<Delivery>? heard = null)
    {
        var names = to.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var resolved = people ?? await directory.ResolveAsync(names, cancellationToken);
        var deliveries = (await Task.WhenAll(resolved.RecipientsOf(names).Select(ToAsync))).ToList();
        deliveries.AddRange(Missing(key, names, resolved).Select(missing => earlier.FirstOrDefault(delivery => delivery.Key == missing.Key) ?? missing));
        return deliveries;

        async Task<Delivery> ToAsync(Recipient recipient) =>
            heard?.LastOrDefault(delivery => string.Equals(delivery.Contact, recipient.Name, StringComparison.OrdinalIgnoreCase))
            ?? await OnceAsync(KeyFor(key, recipient), recipient, resolved.ContactsOf(names, recipient), cardFor, earlier, cancellationToken);
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
        string key, Recipient recipient, IReadOnlyList<string> behind, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken) =>
        earlier.FirstOrDefault(delivery => delivery.Key == key && delivery.Channel is not null)
        ?? await DeliverAsync(key, recipient, cardFor(recipient) with { Key = key }, earlier, cancellationToken) with { Behind = behind };

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

    /// <summary>
    /// The alerts of this recipient that a card ends: their end says as much as another call would. What was handed to somebody is
    /// theirs to do however the incident ended.
    /// </summary>
    private List<Delivery> AlertsOf(Card card, Recipient recipient, string channel, IReadOnlyList<Delivery> earlier) => card is { IsEnd: true, Informs: true }
        ? [.. earlier.Where(delivery => IsAlert(delivery) && delivery.Channel == channel && delivery.Contact == recipient.Name && !delivery.IsUnder(NotificationUpdater.HandedOver))]
        : [];
}

/// <summary>One message on one channel: bounded in time, tried again where that can help, and never an exception.</summary>
public sealed class ChannelClient
{
    /// <summary>The longest that one attempt may take. A channel that hangs is not tried again: the next one is.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>Changing an old message is a courtesy, and somebody may wait for it.</summary>
    private static readonly TimeSpan s_updateTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The pauses before the second and third attempt, unless the channel asks for longer ones.</summary>
    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)];

    /// <summary>All pauses together. A channel that wants to be left alone for longer is not knocked at again: the next one is tried.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, INotifier> _channels;
    private readonly TimeProvider _time;
    private readonly ILogger<ChannelClient> _logger;

    /// <exception cref="ArgumentException">Two notifiers have the same channel.</exception>
    public ChannelClient(IEnumerable<INotifier> notifiers, TimeProvider time, ILogger<ChannelClient> logger)
    {
        _channels = notifiers.ToDictionary(notifier => notifier.Channel, StringComparer.OrdinalIgnoreCase);
        _time = time;
        _logger = logger;
    }

    public bool Rings(string channel) => _channels.TryGetValue(channel, out var notifier) && notifier.Rings;

    /// <returns>What the channel says of it, or why it was not taken.</returns>
    public async Task<(Receipt Receipt, string? Failure)> TrySendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var (receipt, failure) = await SendAsync(card, to, cancellationToken);
        Instruments.Messages.Add(1, Instruments.Tag(Attributes.Channel, to.Channel), Instruments.Tag(Attributes.Outcome, failure is null ? "taken" : "failed"));
        return (receipt, failure);
    }

    private async Task<(Receipt Receipt, string? Failure)> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        if (!_channels.TryGetValue(to.Channel, out var notifier))
        {
            return (default, $"{to.Channel}: no such channel is set up.");
        }

        var (receipt, failure, attempts) = await RetryAsync(s_pauses.Length, s_patience, (shown, token) => notifier.SendAsync(shown, to, token), s_timeout, to.Channel, card, cancellationToken);
        return (receipt, failure is null ? null : $"{to.Channel}: {Redactor.Redact(failure.Message)}{(attempts == 1 ? "" : $" ({attempts} attempts)")}");
    }

    /// <summary>An alert that is not ended rings on, so that is tried as often as a message is; any other change once more, if that is soon.</summary>
    /// <returns>Whether the channel took the change.</returns>
    public async Task<bool> TryUpdateAsync(string channel, string reference, Card card, CancellationToken cancellationToken) =>
        _channels.TryGetValue(channel, out var notifier) && (await RetryAsync(
            notifier.Rings ? s_pauses.Length : 1,
            notifier.Rings ? s_patience : s_updateTimeout,
            async (shown, token) =>
            {
                await notifier.UpdateAsync(reference, shown, token);
                return true;
            },
            s_updateTimeout, channel, card, cancellationToken)).Result;

    private async Task<(T? Result, Exception? Failure, int Attempts)> RetryAsync<T>(
        int retries, TimeSpan patience, Func<Card, CancellationToken, Task<T>> work, TimeSpan atMost, string channel, Card card, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var (result, failure) = await AttemptAsync(work, atMost, channel, card, cancellationToken);
            if (failure is DeliveryException { IsForm: true })
            {
                // Better a short card than none.
                (result, failure) = await AttemptAsync(work, atMost, channel, card.Shortened, cancellationToken);
            }

            if (failure is null || !IsTransient(failure) || attempt == retries || PauseAfter(failure, attempt) > patience)
            {
                return (result, failure, attempt + 1);
            }

            patience -= PauseAfter(failure, attempt);
            await Task.Delay(PauseAfter(failure, attempt), _time, cancellationToken);
        }
    }

    private static TimeSpan PauseAfter(Exception failure, int attempt) =>
        failure is DeliveryException { RetryAfter: { } asked } && asked > s_pauses[attempt] ? asked : s_pauses[attempt];

    private static bool IsTransient(Exception failure) => failure is DeliveryException { Transient: true } or System.Net.Http.HttpRequestException;

    private async Task<(T? Result, Exception? Failure)> AttemptAsync<T>(
        Func<Card, CancellationToken, Task<T>> work, TimeSpan atMost, string channel, Card card, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(atMost, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // The wait ends even where the channel does not listen to its token.
            return (await work(card, either.Token).WaitAsync(either.Token), null);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            var late = new DeliveryException($"no answer within {atMost.TotalSeconds:0} s.");
            Log.ChannelFailed(_logger, channel, card.IncidentId, late);
            return (default, late);
        }
        // A channel may fail in any way; the next one is tried, and the failure is on the record.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.ChannelFailed(_logger, channel, card.IncidentId, Redactor.Redact(failure));
            return (default, failure);
        }
    }
}
