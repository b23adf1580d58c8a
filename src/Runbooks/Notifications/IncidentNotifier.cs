namespace Runbooks.Notifications;

/// <summary>
/// Brings a message about one incident to contacts. Failing channels never fail the incident; what reached whom, and what
/// did not, is recorded on it.
/// </summary>
public sealed class IncidentNotifier(NotificationDispatcher dispatcher, OnCallDirectory directory, IIncidentStore store, TimeProvider time, ILogger<IncidentNotifier> logger)
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
        IReadOnlyList<Delivery> calls = [];
        var deliveries = await dispatcher.SendAsync(key, to, cardFor, incident.Deliveries, cancellationToken, people, heard, async alerts =>
        {
            calls = incident.NewCalls(alerts);
            await RecordAsync(incident, current => current.Expect(calls), cancellationToken);
        });
        var news = deliveries.Except(incident.Deliveries).ToList();
        return new(deliveries, news.Count == 0 ? incident : await RecordAsync(
            incident,
            current => current.RecordDeliveries([.. news.ExceptBy(current.Deliveries.Select(known => (known.Key, known.At)), one => (one.Key, one.At))])
                .SettleCalls(calls, [.. news.SelectMany(one => one.Perhaps)]),
            cancellationToken));
    }

    /// <summary>
    /// Who is behind the contacts for this message. Whom schedules mean is on record before anybody is asked: after a crash the
    /// same people are asked, and whoever was asked may decide.
    /// </summary>
    public async Task<(Incident Incident, Gate Gate, ResolvedContacts People)> FindPeopleAsync(Incident incident, Gate gate, string key, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var people = await directory.ResolveAsync(names, key, gate.OnCall, cancellationToken);
        if (people.OnCall.Except(gate.OnCall).Any())
        {
            incident = await store.UpdateAsync(incident.Id, i => i.RecordOnCall(gate.Id, people.OnCall), cancellationToken);
        }

        gate = incident.FindGate(gate.Id)!;
        return (incident, gate, await directory.ForAsync(people, [gate], cancellationToken));
    }

    /// <summary>A message that was sent stays sent, also when the store cannot say so: then it may be sent again, and no incident fails over it.</summary>
    private async Task<Incident> RecordAsync(Incident incident, Func<Incident, Incident> change, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RecordAtOnceAsync(incident.Id, change, time);
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
public sealed class NotificationDispatcher(ChannelClient channels, UnendedAlerts unended, OnCallDirectory directory, TimeProvider time, ILogger<NotificationDispatcher> logger)
{
    /// <summary>How long a call waits for being on record before it is made.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private const string NobodyBehind = "nobody is behind this contact.";

    /// <param name="key">Names this message; each delivery's key begins with it.</param>
    /// <param name="to">Contacts. One that nobody is behind counts as the fallback, and is reported.</param>
    /// <param name="cardFor">The card for one recipient, who has a link of their own.</param>
    /// <param name="earlier">What was delivered under these keys before is not sent again.</param>
    /// <param name="people">Who is behind the contacts, where that is known already; null for whoever it is now.</param>
    /// <param name="heard">What reached those who need not hear of it again.</param>
    /// <param name="expect">Keeps the alerts that this may open, before anybody is called.</param>
    /// <returns>What reached whom, the earlier ones included. A failing channel is no exception.</returns>
    public async Task<IReadOnlyList<Delivery>> SendAsync(
        string key, IEnumerable<string> to, Func<Recipient, Card> cardFor, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken, ResolvedContacts? people = null, IEnumerable<Delivery>? heard = null,
        Func<IReadOnlyList<Delivery>, Task>? expect = null)
    {
        var names = to.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var resolved = people ?? await directory.ResolveAsync(names, cancellationToken);
        var messages = resolved.RecipientsOf(names).Select(recipient => (To: recipient, Known: FindKnown(recipient)))
            .Select(message => (message.To, message.Known, Card: message.Known is null ? cardFor(message.To) with { Key = KeyFor(key, message.To) } : null)).ToList();
        await ExpectAsync(expect, [.. messages.Where(message => message.Card is not null).SelectMany(message => CallsOf(message.To, message.Card!.For(message.To)))]);
        var deliveries = (await Task.WhenAll(messages.Select(async message =>
            message.Known ?? await DeliverAsync(message.To, message.Card!, earlier, cancellationToken) with { Behind = resolved.ContactsOf(names, message.To) }))).ToList();
        deliveries.AddRange(Missing(key, names, resolved).Select(missing => earlier.FirstOrDefault(delivery => delivery.Key == missing.Key) ?? missing));
        return deliveries;

        Delivery? FindKnown(Recipient recipient) =>
            heard?.LastOrDefault(delivery => string.Equals(delivery.Contact, recipient.Name, StringComparison.OrdinalIgnoreCase))
            ?? earlier.FirstOrDefault(delivery => delivery.Key == KeyFor(key, recipient) && delivery.Channel is not null);
    }

    /// <summary>Who is behind these contacts now.</summary>
    public Task<ResolvedContacts> ResolveAsync(IEnumerable<string> names, CancellationToken cancellationToken) => directory.ResolveAsync(names, cancellationToken);

    /// <inheritdoc cref="OnCallDirectory.ForAsync"/>
    /// <param name="asking">Incidents with an open question that the message is about.</param>
    public Task<ResolvedContacts> ForAsync(ResolvedContacts people, IEnumerable<Incident> asking, CancellationToken cancellationToken) =>
        directory.ForAsync(people, asking.Select(incident => incident.OpenGate!), cancellationToken);

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

    /// <param name="messages">To one recipient each, under the key that names it.</param>
    /// <param name="alerts">What the recipients were called up for before, and hear the end of by these cards.</param>
    /// <param name="expect">Keeps the alerts that this may open, all at once, before anybody is called; null where none of them ever has to be ended.</param>
    /// <returns>What became of each message, in their order.</returns>
    public async Task<IReadOnlyList<Delivery>> SendToAsync(
        IEnumerable<(string Key, Recipient To, Card Card)> messages, IReadOnlyList<Delivery> alerts, Func<IReadOnlyList<Delivery>, Task>? expect, CancellationToken cancellationToken)
    {
        var keyed = messages.Select(message => (message.To, Card: message.Card with { Key = KeyFor(message.Key, message.To) })).ToList();
        await ExpectAsync(expect, [.. keyed.SelectMany(message => CallsOf(message.To, message.Card.For(message.To)))]);
        return await Task.WhenAll(keyed.Select(message => DeliverAsync(message.To, message.Card, alerts, cancellationToken)));
    }

    /// <summary>
    /// Brings messages that were sent before up to date, all at once. Best effort, since whoever presses a stale button is told as well;
    /// but an alert that is not ended rings on, so that is kept and tried again.
    /// </summary>
    public async Task UpdateAsync(IEnumerable<Delivery> sent, Func<Delivery, Card> cardFor, CancellationToken cancellationToken)
    {
        var changes = await Task.WhenAll(sent.Where(delivery => delivery is { Channel: not null, Reference: not null }).DistinctBy(delivery => (delivery.Channel, delivery.Reference)).Select(ChangeAsync));
        await unended.KeepAsync([.. changes.OfType<UnendedAlert>()]);

        async Task<UnendedAlert?> ChangeAsync(Delivery delivery)
        {
            var (channel, card) = (delivery.Channel!, delivery.IsShared ? cardFor(delivery).ForSharedPlace : cardFor(delivery));
            return await channels.TryUpdateAsync(channel, delivery.Reference!, card, cancellationToken) || !channels.Rings(channel) || !card.CallsNobody
                ? null
                : UnendedAlert.Of(channel, delivery.Reference!, card, time.GetUtcNow());
        }
    }

    /// <summary>What has to be ended of a message: the alert that it is, and those that it perhaps opened.</summary>
    public IReadOnlyList<Delivery> AlertsOf(Delivery delivery) => IsAlert(delivery) ? [delivery, .. delivery.Perhaps] : delivery.Perhaps;

    /// <summary>Whether it called somebody up, on a channel where that has to be ended.</summary>
    private bool IsAlert(Delivery delivery) => delivery is { Channel: { } channel, Reference: not null } && channels.Rings(channel);

    /// <summary>The key of one recipient's delivery of the message that <paramref name="key"/> names.</summary>
    public static string KeyFor(string key, Recipient recipient) => $"{key}:{NameOf(recipient)}";

    /// <summary>Somebody may be listed twice, to be reached in two places at once; the same place in two contacts is one.</summary>
    public static string NameOf(Recipient recipient) => $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    /// <summary>Nothing that cannot be written keeps anybody from being called.</summary>
    private async Task ExpectAsync(Func<IReadOnlyList<Delivery>, Task>? expect, IReadOnlyList<Delivery> calls)
    {
        try
        {
            await (calls.Count == 0 || expect is null ? Task.CompletedTask : expect(calls).WaitAsync(s_patience, time));
        }
        // Whatever the store's trouble is.
        catch (Exception trouble)
        {
            Log.AlertNotKept(logger, calls[0].Key, trouble);
        }
    }

    /// <summary>The alerts that a card may open. What nobody has to act on calls nobody, and ends by itself; whom the contacts do not know has no alert of ours to end.</summary>
    private IReadOnlyList<Delivery> CallsOf(Recipient recipient, Card card) => card.Informs || recipient.IsStranger ? [] :
        [.. from address in recipient.Addresses
            let reference = channels.ReferenceOf(card, address)
            where reference is not null
            select new Delivery(card.Key!, recipient.Name, address.Channel, time.GetUtcNow(), null, reference) { IsPerhaps = true }];

    private async Task<Delivery> DeliverAsync(Recipient recipient, Card card, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken)
    {
        card = card.For(recipient);
        var (key, failures, perhaps) = (card.Key!, new List<string>(), new List<Delivery>());
        foreach (var address in AddressesFor(card, recipient))
        {
            if (AlertsOf(card, recipient, address.Channel, earlier) is { Count: > 0 } alerts && (await Task.WhenAll(alerts.Select(alert => channels.TryUpdateAsync(address.Channel, alert.Reference!, card, cancellationToken)))).All(ended => ended))
            {
                // Whether anybody hears that an alert has ended is up to their own settings there.
                return new Delivery(key, recipient.Name, address.Channel, time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures)) { IsHandedOver = true, IsEndOfAlert = true };
            }

            var (receipt, failure, isUnsure) = await channels.TrySendAsync(address.IsShared ? card.ForSharedPlace : card, address, cancellationToken);
            if (failure is null)
            {
                return new Delivery(key, recipient.Name, address.Channel, time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures), recipient.IsStranger ? null : receipt.Reference)
                {
                    IsStranger = recipient.IsStranger,
                    IsHandedOver = receipt.IsHandedOver,
                    IsShared = address.IsShared,
                    Perhaps = perhaps,
                };
            }

            failures.Add(failure);
            perhaps.AddRange(isUnsure ? CallsOf(recipient with { Addresses = [address] }, card) : []);
        }

        return new Delivery(key, recipient.Name, null, time.GetUtcNow(), failures.Count == 0 ? "no channel is configured." : string.Join(" ", failures)) { Perhaps = perhaps };
    }

    /// <summary>What nobody has to act on calls nobody up while another channel takes it.</summary>
    private IEnumerable<Address> AddressesFor(Card card, Recipient recipient) =>
        card.Informs ? recipient.Addresses.OrderBy(address => channels.Rings(address.Channel)) : recipient.Addresses;

    /// <summary>
    /// The alerts of this recipient that a card ends, where no other channel takes it: nobody is called up to hear that all is well. What
    /// was handed to somebody is theirs to do however the incident ended.
    /// </summary>
    private List<Delivery> AlertsOf(Card card, Recipient recipient, string channel, IReadOnlyList<Delivery> earlier) => card is { IsEnd: true, Informs: true }
        ? [.. earlier.Where(delivery => IsAlert(delivery) && !delivery.IsPerhaps && delivery.Channel == channel && delivery.Contact == recipient.Name && !delivery.IsUnder(NotificationUpdater.HandedOver))]
        : [];
}
