namespace Runbooks.Notifications;

/// <summary>Sends messages about one incident and records on it what reached whom. A channel that fails never fails the incident.</summary>
public sealed class IncidentNotifier(
    NotificationDispatcher dispatcher, OnCallDirectory directory, IIncidentStore store, TimeProvider time, ILogger<IncidentNotifier> logger)
{
    /// <param name="incident">As it was just read or written: it has the earlier deliveries.</param>
    public async Task<SendResult> SendAsync(Incident incident, Notice notice, CancellationToken cancellationToken)
    {
        IReadOnlyList<Delivery> calls = [];
        var deliveries = await dispatcher.SendAsync(notice, incident.Deliveries, ExpectAsync, cancellationToken);
        var news = deliveries.Except(incident.Deliveries).ToList();
        return new(deliveries, news.Count == 0 ? incident : await RecordAsync(incident, WithNews, cancellationToken));

        async Task ExpectAsync(IReadOnlyList<Delivery> alerts)
        {
            calls = incident.NewCalls(alerts);
            await RecordAsync(incident, current => current.Expect(calls), cancellationToken);
        }

        Incident WithNews(Incident current)
        {
            var unrecorded = news.ExceptBy(current.Deliveries.Select(known => (known.Key, known.At)), delivery => (delivery.Key, delivery.At));
            return current.RecordDeliveries([.. unrecorded]).SettleCalls(calls, [.. news.SelectMany(delivery => delivery.Perhaps)]);
        }
    }

    /// <summary>Records whom a schedule means before anybody is asked, so that after a crash the same people are asked and may decide.</summary>
    public async Task<(Incident Incident, Gate Gate, ResolvedContacts People)> FindPeopleAsync(
        Incident incident, Gate gate, string key, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var people = await directory.ResolveAsync(names, key, gate.OnCall, cancellationToken);
        if (people.OnCall.Except(gate.OnCall).Any())
        {
            incident = await store.UpdateAsync(incident.Id, i => i.RecordOnCall(gate.Id, people.OnCall), cancellationToken);
        }

        gate = incident.FindGate(gate.Id)!;
        return (incident, gate, await directory.ForAsync(people, [gate], cancellationToken));
    }

    /// <summary>When the store fails, the message is not recorded and may be sent twice, but the incident does not fail.</summary>
    private async Task<Incident> RecordAsync(Incident incident, Func<Incident, Incident> change, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RecordAtOnceAsync(incident.Id, change, time);
        }
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.DeliveryNotRecorded(logger, incident.Id, trouble);
            return incident;
        }
    }
}

/// <param name="Deliveries">All of this message, those of earlier attempts included.</param>
public sealed record SendResult(IReadOnlyList<Delivery> Deliveries, Incident Incident)
{
    public bool Reached => Deliveries.Any(delivery => delivery.Reached);

    /// <summary>The channels that took the message and cannot say whether it arrived; empty where another channel can.</summary>
    public IReadOnlyList<string> HandedTo => Deliveries.Any(delivery => delivery is { Reached: true, IsHandedOver: false })
        ? []
        : [.. Deliveries.Where(delivery => delivery.Reached).Select(delivery => delivery.Channel!).Distinct(StringComparer.OrdinalIgnoreCase)];
}

/// <param name="Key">Names the message; the key of each delivery begins with it.</param>
/// <param name="To">Contacts. One that nobody is behind counts as the fallback, and is reported.</param>
public sealed record Notice(string Key, IEnumerable<string> To, Func<Recipient, Card> CardFor)
{
    /// <summary>Who is behind the contacts, where that is known already; null to find out.</summary>
    public ResolvedContacts? People { get; init; }

    /// <summary>Recipients of these need not hear of it again.</summary>
    public IEnumerable<Delivery>? Heard { get; init; }
}

/// <summary>Sends one message to everybody behind some contacts, on each recipient's channels in turn until one takes it.</summary>
public sealed class NotificationDispatcher(
    ChannelClient channels, UnendedAlerts unended, OnCallDirectory directory, TimeProvider time, ILogger<NotificationDispatcher> logger)
{
    /// <summary>How long a call waits to be recorded before it is made.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private const string NobodyBehind = "nobody is behind this contact.";

    /// <param name="earlier">Earlier deliveries. What reached a recipient under the same key is not sent again.</param>
    /// <param name="expect">Records the alerts that this may open, before anybody is called; null where none of them has to be ended.</param>
    /// <returns>What reached whom, the earlier ones included. A channel that fails does not throw.</returns>
    public async Task<IReadOnlyList<Delivery>> SendAsync(
        Notice notice, IReadOnlyList<Delivery> earlier, Func<IReadOnlyList<Delivery>, Task>? expect, CancellationToken cancellationToken)
    {
        var names = notice.To.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var people = notice.People ?? await directory.ResolveAsync(names, cancellationToken);
        var messages = people.RecipientsOf(names).Select(MessageTo).ToList();
        var calls = messages.Where(message => message.Card is not null).SelectMany(message => CallsOf(message.To, message.Card!.For(message.To)));
        await ExpectAsync(expect, [.. calls]);
        var deliveries = await Task.WhenAll(messages.Select(DeliveredAsync));
        var missing = Missing(notice.Key, names, people)
            .Select(nobody => earlier.FirstOrDefault(delivery => delivery.Key == nobody.Key) ?? nobody);
        return [.. deliveries, .. missing];

        (Recipient To, Delivery? Known, Card? Card) MessageTo(Recipient recipient)
        {
            var known = notice.Heard?.LastOrDefault(delivery => ContactBook.IsSameName(delivery.Contact, recipient.Name))
                ?? earlier.FirstOrDefault(delivery => delivery.Key == KeyFor(notice.Key, recipient) && delivery.Channel is not null);
            return (recipient, known, known is null ? notice.CardFor(recipient) with { Key = KeyFor(notice.Key, recipient) } : null);
        }

        async Task<Delivery> DeliveredAsync((Recipient To, Delivery? Known, Card? Card) message)
        {
            if (message.Known is { } known)
            {
                return known;
            }

            var delivery = await DeliverAsync(message.To, message.Card!, earlier, cancellationToken);
            return delivery with { Behind = people.ContactsOf(names, message.To) };
        }
    }

    public Task<ResolvedContacts> ResolveAsync(IEnumerable<string> names, CancellationToken cancellationToken) =>
        directory.ResolveAsync(names, cancellationToken);

    /// <inheritdoc cref="OnCallDirectory.ForAsync"/>
    /// <param name="asking">Incidents with the open questions that the message is about.</param>
    public Task<ResolvedContacts> ForAsync(ResolvedContacts people, IEnumerable<Incident> asking, CancellationToken cancellationToken) =>
        directory.ForAsync(people, asking.Select(incident => incident.OpenGate!), cancellationToken);

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

    /// <param name="alerts">Earlier alerts of the recipients, which these cards end.</param>
    public async Task<IReadOnlyList<Delivery>> SendToAsync(
        IEnumerable<(string Key, Recipient To, Card Card)> messages,
        IReadOnlyList<Delivery> alerts,
        Func<IReadOnlyList<Delivery>, Task>? expect,
        CancellationToken cancellationToken)
    {
        var keyed = messages.Select(message => (message.To, Card: message.Card with { Key = KeyFor(message.Key, message.To) })).ToList();
        await ExpectAsync(expect, [.. keyed.SelectMany(message => CallsOf(message.To, message.Card.For(message.To)))]);
        return await Task.WhenAll(keyed.Select(message => DeliverAsync(message.To, message.Card, alerts, cancellationToken)));
    }

    /// <summary>
    /// A change that fails is not repeated, since an old button says that it is old. But an alert that should have ended would ring on, so
    /// its end is tried again.
    /// </summary>
    public async Task UpdateAsync(IEnumerable<Delivery> sent, Func<Delivery, Card> cardFor, CancellationToken cancellationToken)
    {
        var changes = await Task.WhenAll(sent
            .Where(delivery => delivery is { Channel: not null, Reference: not null })
            .DistinctBy(delivery => (delivery.Channel, delivery.Reference))
            .Select(ChangeAsync));
        await unended.KeepAsync([.. changes.OfType<UnendedAlert>()]);

        async Task<UnendedAlert?> ChangeAsync(Delivery delivery)
        {
            var (channel, card) = (delivery.Channel!, delivery.IsShared ? cardFor(delivery).ForSharedPlace : cardFor(delivery));
            return await channels.TryUpdateAsync(channel, delivery.Reference!, card, cancellationToken) || !channels.Rings(channel) || !card.CallsNobody
                ? null
                : UnendedAlert.Of(channel, delivery.Reference!, card, time.GetUtcNow());
        }
    }

    /// <summary>The alerts of a delivery that have to be ended: itself, and those that it perhaps opened.</summary>
    public IReadOnlyList<Delivery> AlertsOf(Delivery delivery) => IsAlert(delivery) ? [delivery, .. delivery.Perhaps] : delivery.Perhaps;

    private bool IsAlert(Delivery delivery) => delivery is { Channel: { } channel, Reference: not null } && channels.Rings(channel);

    public static string KeyFor(string key, Recipient recipient) => $"{key}:{NameOf(recipient)}";

    /// <summary>With the first channel, since somebody who is listed twice with different ones gets both messages.</summary>
    public static string NameOf(Recipient recipient) =>
        $"{recipient.Name}@{(recipient.Addresses.Count > 0 ? recipient.Addresses[0].Channel : "nowhere")}";

    /// <summary>A store that fails or hangs does not keep anybody from being called.</summary>
    private async Task ExpectAsync(Func<IReadOnlyList<Delivery>, Task>? expect, IReadOnlyList<Delivery> calls)
    {
        try
        {
            await (calls.Count == 0 || expect is null ? Task.CompletedTask : expect(calls).WaitAsync(s_patience, time));
        }
        catch (Exception trouble)
        {
            Log.AlertNotKept(logger, calls[0].Key, trouble);
        }
    }

    /// <summary>
    /// The alerts that a card may open. A card that informs calls nobody, and its alert ends by itself. A stranger's alerts are not ours to end.
    /// </summary>
    private IReadOnlyList<Delivery> CallsOf(Recipient recipient, Card card) => card.Informs || recipient.IsStranger
        ? []
        : [.. from address in recipient.Addresses
            let reference = channels.ReferenceOf(card, address)
            where reference is not null
            select new Delivery(card.Key!, recipient.Name, address.Channel, time.GetUtcNow(), null, reference) { IsPerhaps = true }];

    private async Task<Delivery> DeliverAsync(Recipient recipient, Card card, IReadOnlyList<Delivery> earlier, CancellationToken cancellationToken)
    {
        card = card.For(recipient);
        var (key, failures, perhaps) = (card.Key!, new List<string>(), new List<Delivery>());
        foreach (var address in AddressesFor(card, recipient))
        {
            if (await TryEndAlertsAsync(AlertsOf(card, recipient, address.Channel, earlier)))
            {
                // Whether anybody hears that an alert has ended depends on their own settings there.
                return Sent(address.Channel) with { IsHandedOver = true, IsEndOfAlert = true };
            }

            var (receipt, failure, isUnsure) = await channels.TrySendAsync(address.IsShared ? card.ForSharedPlace : card, address, cancellationToken);
            if (failure is null)
            {
                return Sent(address.Channel) with
                {
                    Reference = recipient.IsStranger ? null : receipt.Reference,
                    IsStranger = recipient.IsStranger,
                    IsHandedOver = receipt.IsHandedOver,
                    IsShared = address.IsShared,
                    Perhaps = perhaps,
                };
            }

            failures.Add(failure);
            perhaps.AddRange(isUnsure ? CallsOf(recipient with { Addresses = [address] }, card) : []);
        }

        var why = failures.Count == 0 ? "no channel is configured." : string.Join(" ", failures);
        return new Delivery(key, recipient.Name, null, time.GetUtcNow(), why) { Perhaps = perhaps };

        Delivery Sent(string channel) =>
            new(key, recipient.Name, channel, time.GetUtcNow(), failures.Count == 0 ? null : string.Join(" ", failures));

        async Task<bool> TryEndAlertsAsync(List<Delivery> alerts) =>
            alerts.Count > 0
            && (await Task.WhenAll(alerts.Select(alert => channels.TryUpdateAsync(alert.Channel!, alert.Reference!, card, cancellationToken)))).All(ended => ended);
    }

    /// <summary>A card that informs goes to channels that ring only when no other takes it.</summary>
    private IEnumerable<Address> AddressesFor(Card card, Recipient recipient) =>
        card.Informs ? recipient.Addresses.OrderBy(address => channels.Rings(address.Channel)) : recipient.Addresses;

    /// <summary>
    /// The alerts of this recipient that a card ends in place of a message, so that nobody is called to hear that all is well. What was
    /// handed over to somebody stays theirs, however the incident ended.
    /// </summary>
    private List<Delivery> AlertsOf(Card card, Recipient recipient, string channel, IReadOnlyList<Delivery> earlier)
    {
        return card is { IsEnd: true, Informs: true } ? [.. earlier.Where(IsEnded)] : [];

        bool IsEnded(Delivery delivery) =>
            IsAlert(delivery)
            && !delivery.IsPerhaps
            && delivery.Channel == channel
            && delivery.Contact == recipient.Name
            && !delivery.IsUnder(NotificationUpdater.HandedOver);
    }
}
