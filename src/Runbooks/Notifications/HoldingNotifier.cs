using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications;

/// <summary>Tells whoever approved that a temporary fix is in place, once, when it begins. In a storm the page of the storm says it.</summary>
public sealed class HoldingNotifier(IncidentNotifier notifier, IncidentCards cards)
{
    private const string Key = "holding";

    public async Task NotifyOnceAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (incident.Storm is not null || incident.HasDelivery($"{Key}:") || Lease.Of(incident, runbook) is not { Held.Count: > 0 } lease)
        {
            return;
        }

        var asked = NotificationRecipients.Asked(incident).ToList();
        var to = asked.Count > 0 ? asked : runbook.Mitigation.Approval?.From ?? [ContactBook.Fallback];
        await notifier.SendAsync(incident.Id, Key, to, _ => cards.Holding(incident, runbook, lease), cancellationToken);
    }
}
