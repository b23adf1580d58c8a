using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>
/// Looks at what else still fires when an incident ends. Where the runbook would ask or do something else for it, because
/// its own parameters come out differently, it gets an incident of its own; otherwise the closing message says that it fires.
/// </summary>
public sealed class FollowUps(IIncidentStore store, NextIncident next, TimeProvider time)
{
    /// <summary>Safe to repeat: what is the target's newest incident by then is not opened again.</summary>
    /// <returns>The ended incident as it is now.</returns>
    public async Task<Incident> OpenAsync(Incident ended, Runbook runbook, CancellationToken cancellationToken)
    {
        // Whoever took it over, or stopped it, decides what comes next on this target.
        if (ended.FollowedBy is not null || ended.State is IncidentState.TakenOver or IncidentState.Cancelled)
        {
            return ended;
        }

        var own = Rendered(runbook, ended, ended.Alert);
        var others = ended.Others
            .Where(other => !other.Resolved && other is { IsWhole: true, Alert: { } alert } && Rendered(runbook, ended, alert) != own)
            .Select(other => other.Alert!)
            .ToList();
        if (others.Count == 0)
        {
            return ended;
        }

        var opened = await next.OpenAsync(
            ended,
            runbook,
            others,
            $"{others[0].Name} still fired on this target when incident {ended.Id} ended, which did not look at it.",
            incident => incident with { FollowUpOf = ended.Id },
            latest => latest.Id == ended.Id || latest.State.IsFinal(),
            cancellationToken);
        var followed = await store.UpdateAsync(ended.Id, i => i.FollowUp(opened.Id, [.. others.Select(other => other.Name).Distinct()], time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened, runbook);
        return followed;
    }

    /// <summary>Everything that the runbook would ask and do for this alert, filled in.</summary>
    private static string Rendered(Runbook runbook, Incident incident, Alert alert)
    {
        var scope = new TemplateScope { Alert = alert, Target = incident.Target };
        return string.Join('\n', runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.Mitigation.Steps.Concat(runbook.Resolution.Steps).Select(step => step.With))
            .Select(with => Template.RenderLenient(with.GetRawText(), scope)));
    }
}
