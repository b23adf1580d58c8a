using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;
using Runbooks.Storage;

namespace Runbooks.Notifications.Storms;

/// <summary>
/// Tells which incidents of storms hold a temporary fix and how they ended, many in one message. The watch calls it every
/// minute; what reached nobody is told again, since the record says so.
/// </summary>
public sealed class StormEndNotifier(
    StormRegistry storms,
    StormMembers members,
    StormCards cards,
    NotificationDispatcher dispatcher,
    PinnedRunbooks runbooks,
    IOptionsMonitor<StormOptions> options,
    TimeProvider time,
    ILogger<StormEndNotifier> logger)
{
    private const string Closed = "closed";

    /// <summary>While more of them end, the message waits for them, but no longer than this when a person is needed.</summary>
    private static readonly TimeSpan LongestWaitForBad = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    /// <summary>So long without another end, and there is nothing to wait for.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    public async Task NotifyAsync(CancellationToken cancellationToken)
    {
        foreach (var storm in await storms.ListAsync(cancellationToken))
        {
            if (await storms.TakeTurnAsync(storm.Id, storm.Since, toAsk: false, cancellationToken) is { } mine)
            {
                var (told, over) = (mine, false);
                try
                {
                    over = await NotifyAsync(mine, sent => told = sent, cancellationToken);
                }
                finally
                {
                    await storms.EndTurnAsync(told, over, read: 0, CancellationToken.None);
                }
            }
        }
    }

    /// <param name="keep">Takes what was sent before it is written on the incidents: should that fail, its alerts can still be ended.</param>
    /// <returns>Whether all of it has ended and is told.</returns>
    private async Task<bool> NotifyAsync(Storm storm, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var ended = await members.FindAsync(
            storm.Id, storm.Since, line => line.State.IsFinal(), incident => !incident.HasDelivery(Closed), cancellationToken);
        var anyOpen = await members.AnyOpenAsync(storm, cancellationToken);
        var told = ended.Count == 0;
        if (ended.Count > 0 && IsTimeFor(ended, anyOpen))
        {
            // While others ask, an alert about all of them does not end.
            told = await TellAsync(storm, Closed, ended, anyOpen ? [] : storm.Alerts, NotificationRecipients.Of, cards.Ended, Keep, cancellationToken);
        }

        var holding = await members.FindAsync(
            storm.Id, storm.Since, line => line.State == IncidentState.Holding, incident => !incident.HasDelivery(HoldingNotifier.Key) && ChangeText.InPlace(incident).Count > 0, cancellationToken);
        if (holding.Count > 0 && IsTimeForHolding(holding))
        {
            await TellAsync(storm, HoldingNotifier.Key, holding, [], NotificationRecipients.OfHold, cards.Holding, Keep, cancellationToken);
        }

        var over = told && !anyOpen && time.GetUtcNow() - storm.LastJoined > options.CurrentValue.Within;
        if (over)
        {
            await dispatcher.UpdateAsync(storm.Alerts, _ => cards.Over(storm), cancellationToken);
        }

        return over;

        void Keep(IEnumerable<Delivery> alerts) => keep(storm = storm with { Alerts = [.. storm.Alerts, .. alerts] });
    }

    private bool IsTimeFor(IReadOnlyList<Incident> ended, bool anyOpen)
    {
        var now = time.GetUtcNow();
        var bad = ended.Where(StormCards.IsUnsolved).ToList();
        return !anyOpen
            || now - ended.Min(incident => incident.ClosedAt) >= LongestWait
            || (bad.Count > 0 && (now - bad.Max(incident => incident.ClosedAt) >= Pause || now - bad.Min(incident => incident.ClosedAt) >= LongestWaitForBad));
    }

    /// <summary>While more of them begin to hold, the message waits a little for them.</summary>
    private bool IsTimeForHolding(IReadOnlyList<Incident> holding)
    {
        var began = holding.Select(incident => incident.VerificationRounds.FirstOrDefault(round => round.State == IncidentState.Holding)?.At ?? incident.UpdatedAt).ToList();
        return time.GetUtcNow() - began.Max() >= Pause || time.GetUtcNow() - began.Min() >= LongestWaitForBad;
    }

    /// <param name="keep">Takes whom it called up about nothing that they have to do.</param>
    /// <returns>Whether each of them reached somebody, or has nobody to reach.</returns>
    private async Task<bool> TellAsync(
        Storm storm, string key, IReadOnlyList<Incident> incidents, IReadOnlyList<Delivery> alerts, Func<Incident, Runbook, IReadOnlyList<string>> recipients,
        Func<Storm, IReadOnlyList<Incident>, IReadOnlyDictionary<string, Runbook>, Card> card, Action<IEnumerable<Delivery>> keep, CancellationToken cancellationToken)
    {
        var shown = new Dictionary<string, Runbook>(StringComparer.Ordinal);
        var listeners = new List<(Incident Incident, IReadOnlyList<string> Names)>();
        foreach (var incident in incidents)
        {
            var runbook = shown[incident.RunbookId] = await runbooks.OfAsync(incident, cancellationToken);
            listeners.Add((incident, recipients(incident, runbook)));
        }

        var people = await dispatcher.ResolveAsync(listeners.SelectMany(one => one.Names), cancellationToken);
        List<(Incident Incident, IReadOnlyList<Recipient> To)> untold = [.. listeners.Select(one => (one.Incident, To: people.RecipientsOf(one.Names))).Where(one => one.To.Count > 0)];

        var sent = await Task.WhenAll(untold.SelectMany(one => one.To).DistinctBy(NotificationDispatcher.NameOf).Select(recipient => SendAsync(recipient, untold, key, about => card(storm, about, shown), alerts, cancellationToken)));
        keep(sent.Where(message => message.Card.Informs).Select(message => message.Delivery).Where(dispatcher.IsAlert));
        var unheard = untold.Where(one => !sent.Any(message => message.Delivery.Reached && message.About.Contains(one.Incident))).ToList();

        // What reached nobody is not recorded, so that the next round tries again and an hour of trouble does not fill two hundred records.
        if (unheard.Count > 0)
        {
            Log.NobodyReached(logger, storm.Id, $"{CountText.Format(unheard.Count, "incident")}, {key}.");
        }

        await members.UpdateAsync(
            untold.Except(unheard).Select(one => one.Incident),
            incident => sent.Where(message => message.About.Any(known => known.Id == incident.Id)).Aggregate(incident, (changed, message) => changed.RecordDeliveries(
                [message.Delivery with { Key = $"{key}:{NotificationDispatcher.NameOf(message.To)}", Reference = message.About.Count == 1 ? message.Delivery.Reference : null }], about: message.About.Count)),
            cancellationToken);
        return unheard.Count == 0;
    }

    private async Task<(Recipient To, IReadOnlyList<Incident> About, Card Card, Delivery Delivery)> SendAsync(
        Recipient recipient, IReadOnlyList<(Incident Incident, IReadOnlyList<Recipient> To)> untold, string key, Func<IReadOnlyList<Incident>, Card> cardOf, IReadOnlyList<Delivery> alerts, CancellationToken cancellationToken)
    {
        var name = NotificationDispatcher.NameOf(recipient);
        IReadOnlyList<Incident> about = [.. untold.Where(one => one.To.Any(to => NotificationDispatcher.NameOf(to) == name)).Select(one => one.Incident)];
        var card = cardOf(about);
        return (recipient, about, card, await dispatcher.SendToAsync($"{key}:{about[0].Id}", recipient, card, alerts, cancellationToken));
    }
}
