using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications;

/// <summary>Tells whoever approved that a temporary fix is in place, once, when it begins. In a storm one message tells of many.</summary>
public sealed class HoldingNotifier(IncidentNotifier notifier, IncidentCards cards, TimeProvider time)
{
    public const string Key = "holding";

    /// <summary>Where nobody was reached it is tried again after this long, and so often.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private const int MaxTries = 5;

    public async Task NotifyOnceAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (incident.Storm is not null || !IsDue(incident) || Lease.Of(incident, runbook) is not { Held.Count: > 0 } lease)
        {
            return;
        }

        await notifier.SendAsync(incident, Key, NotificationRecipients.OfHold(incident, runbook), _ => cards.Holding(incident, runbook, lease), cancellationToken);
    }

    private bool IsDue(Incident incident)
    {
        var tries = incident.Deliveries.Where(delivery => delivery.IsUnder(Key)).ToList();
        return tries.Count == 0
            || (!tries.Exists(delivery => delivery.Reached)
                && tries.GroupBy(delivery => delivery.Key).All(to => to.Count() < MaxTries)
                && time.GetUtcNow() - tries.Max(delivery => delivery.At) >= Pause);
    }
}
