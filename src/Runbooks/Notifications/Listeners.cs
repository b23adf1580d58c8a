using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications;

/// <summary>Who hears how an incident ended.</summary>
public static class Listeners
{
    /// <summary>Whoever was asked. Where nobody was asked, only what acted or what failed is told.</summary>
    public static IReadOnlyList<string> Of(Incident incident, Runbook runbook)
    {
        var listeners = Asked(incident).ToList();
        if (listeners.Count == 0 && (incident.Steps.Count > 0 || incident.LatestGate?.Outcome == GateOutcome.DiagnosedOnly))
        {
            listeners.AddRange(runbook.Mitigation.Approval?.From ?? [ContactBook.Fallback]);
        }

        if (incident.State is IncidentState.Failed or IncidentState.Expired)
        {
            listeners.Add(ContactBook.Fallback);
        }

        return listeners;
    }

    public static IEnumerable<string> Asked(Incident incident) =>
        incident.Gates.Where(gate => incident.HasDelivery($"{gate.Id}:")).SelectMany(gate => gate.Approvers);
}
