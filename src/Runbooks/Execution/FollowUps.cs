using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>
/// Looks at what still fires when an incident ends. Where the runbook would ask or do something else for it, because
/// its own parameters come out differently, or where it began too late for the end to know of it, it gets an incident of its own;
/// otherwise the closing message says that it fires.
/// </summary>
public sealed class FollowUps(IIncidentStore store, NextIncident next, TimeProvider time)
{
    /// <returns>The ended incident as it is now.</returns>
    public async Task<Incident> OpenAsync(Incident ended, Runbook runbook, CancellationToken cancellationToken)
    {
        // Whoever took it over, or stopped it, decides what comes next on this target. What a maintenance window suppressed is looked at when that ends, whole.
        if (ended.FollowedBy is not null || ended.WasSuppressed() || ended.State == IncidentState.TakenOver || ended.Stop is not null)
        {
            return ended;
        }

        var others = ended.BegunUnseen()
            .Concat(ended.Others
                .Where(other => !other.Resolved && other is { IsWhole: true, Alert: { } alert } && !ParameterComparison.AreSame(runbook, ended.Target, ended.Alert, alert))
                .Select(other => other.Alert!))
            .DistinctBy(AlertIdentity.Of)
            .ToList();
        if (others.Count == 0)
        {
            return ended;
        }

        var opened = await next.OpenAsync(
            ended,
            runbook,
            others,
            $"{others[0].Name} {(ended.KnowsEndUnseen(others[0]) ? "was ended by its sender without an all-clear" : "still fired")} on this target when incident {ended.Id} ended, which did not look at it.",
            incident => incident with { FollowUpOf = ended.Id },
            cancellationToken);
        var followed = await store.UpdateAsync(ended.Id, i => i.FollowUp(opened.Id, others, time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened, runbook);
        return followed;
    }
}
