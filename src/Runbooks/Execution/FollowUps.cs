using Microsoft.Extensions.Logging;
using Runbooks.Catalog.Templates;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>
/// Looks at what else still fires when an incident ends. Where the runbook would ask or do something else for it, because
/// its own parameters come out differently, it gets an incident of its own; otherwise the closing message says that it fires.
/// </summary>
public sealed class FollowUps(IIncidentStore store, FollowingMode mode, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<FollowUps> logger)
{
    /// <summary>Safe to repeat.</summary>
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

        var opened = await OpenAsync(ended, runbook, others, cancellationToken);
        var followed = await store.UpdateAsync(ended.Id, i => i.FollowUp(opened.Id, [.. others.Select(other => other.Name).Distinct()], time.GetUtcNow()), cancellationToken);
        await StartAsync(opened, runbook);
        return followed;
    }

    /// <summary>What is the target's newest incident by then is not opened again: it hears of the alerts.</summary>
    private async Task<Incident> OpenAsync(Incident ended, Runbook runbook, List<Alert> others, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var candidate = new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = ended.RunbookId,
            RunbookHash = ended.RunbookHash,
            Title = ended.Title,
            Target = ended.Target,
            Alert = others[0],
            Severity = runbook.Impact.Severity,
            Mode = mode.After(ended),
            FollowUpOf = ended.Id,
            OpenedAt = now,
            UpdatedAt = now,
        };
        candidate = candidate.Note(now, TimelineKind.Opened, "runbook", $"{others[0].Name} still fired on this target when incident {ended.Id} ended, which did not look at it.");
        candidate = others.Aggregate(candidate, (changed, alert) => changed.Attach(alert, now));
        return (await store.OpenAsync(candidate, runbook, latest => latest.Id == ended.Id || latest.State.IsFinal() ? null : latest, cancellationToken)).Incident;
    }

    /// <summary>Everything that the runbook would ask and do for this alert, filled in.</summary>
    private static string Rendered(Runbook runbook, Incident incident, Alert alert)
    {
        var scope = new TemplateScope { Alert = alert, Target = incident.Target };
        return string.Join('\n', runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.Mitigation.Steps.Concat(runbook.Resolution.Steps).Select(step => step.With))
            .Select(with => Template.RenderLenient(with.GetRawText(), scope)));
    }

    private async Task StartAsync(Incident opened, Runbook runbook)
    {
        try
        {
            await (engine()?.StartAsync(IncidentInput.Of(opened.Id, runbook), CancellationToken.None) ?? Task.CompletedTask);
        }
#pragma warning disable CA1031 // The incident is on record; an engine that cannot be reached from here gets it from the watchdog.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.WakeFailed(logger, opened.Id, failure);
        }
    }
}
