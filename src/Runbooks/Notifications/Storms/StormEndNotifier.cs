using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Notifications.Storms;

/// <summary>
/// Tells how the incidents of storms ended, many in one message. The watch calls it every minute; what reached nobody is
/// told again, since the record says so.
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
    private const string Key = "closed";

    public async Task NotifyAsync(CancellationToken cancellationToken)
    {
        foreach (var storm in await storms.ListAsync(cancellationToken))
        {
            if (await storms.TakeTurnAsync(storm.RunbookId, cancellationToken) is { } mine)
            {
                var over = false;
                try
                {
                    over = await NotifyAsync(mine, cancellationToken);
                }
                finally
                {
                    await storms.EndTurnAsync(mine, over, CancellationToken.None);
                }
            }
        }
    }

    /// <returns>Whether all of it has ended and is told.</returns>
    private async Task<bool> NotifyAsync(Storm storm, CancellationToken cancellationToken)
    {
        var ended = await members.FindAsync(
            storm.RunbookId, storm.Since, line => line.State.IsFinal(), incident => !incident.HasDelivery($"{Key}:"), cancellationToken);
        var untold = new List<(Incident Incident, IReadOnlyList<string> To)>();
        foreach (var incident in ended)
        {
            if (NotificationRecipients.Of(incident, await runbooks.OfAsync(incident, cancellationToken)) is { Count: > 0 } listeners)
            {
                untold.Add((incident, [.. listeners.Distinct(StringComparer.OrdinalIgnoreCase)]));
            }
        }

        var told = true;
        foreach (var group in untold.GroupBy(pair => string.Join('\n', pair.To)))
        {
            told &= await NotifyAsync(storm, [.. group.Select(pair => pair.Incident)], group.First().To, cancellationToken);
        }

        var quiet = time.GetUtcNow() - storm.LastJoined > options.CurrentValue.Within;
        return told && quiet && !await members.AnyOpenAsync(storm, cancellationToken);
    }

    private async Task<bool> NotifyAsync(Storm storm, IReadOnlyList<Incident> incidents, IReadOnlyList<string> to, CancellationToken cancellationToken)
    {
        var card = cards.Ended(storm, await runbooks.OfAsync(incidents[0], cancellationToken), incidents);
        var deliveries = await dispatcher.SendAsync(Key, to, _ => card, [], cancellationToken);
        if (!deliveries.Any(delivery => delivery.Reached))
        {
            // Not recorded, so that the next round tries again and an hour of trouble does not fill two hundred records.
            Log.NobodyReached(logger, storm.Id, card.Title);
            return false;
        }

        var kept = deliveries.Select(delivery => delivery with { Reference = null }).ToList();
        await members.UpdateAsync(incidents, incident => incident.RecordDeliveries(kept, about: incidents.Count), cancellationToken);
        return true;
    }
}
