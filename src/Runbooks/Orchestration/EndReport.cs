using Runbooks.Execution;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Storage;

namespace Runbooks.Orchestration;

/// <summary>Sends the report of an incident that has ended to whom its runbook names, whoever recorded the end.</summary>
public sealed class EndReport(PinnedRunbooks runbooks, IncidentNotifier notifier, IncidentCards cards) : IEndHook
{
    public async Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        if (runbook.ReportTo.Count > 0 && incident.State != IncidentState.NotNeeded)
        {
            await notifier.SendAsync(incident, "report", runbook.ReportTo, _ => cards.Report(incident, runbook), cancellationToken);
        }

        // Who was told stands in the record already.
        return [];
    }
}
