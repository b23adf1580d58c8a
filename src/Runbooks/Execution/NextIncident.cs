using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>Opens the incident that goes on where another one ended: on the same target, by the same version of the runbook.</summary>
public sealed class NextIncident(IIncidentStore store, FollowingMode mode, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<NextIncident> logger)
{
    /// <summary>
    /// Opens it, unless the target has a later incident that is open or belongs to a person: that one then gets the alerts.
    /// Safe to repeat: one that was opened for the same end is not opened again.
    /// </summary>
    /// <param name="alerts">What it is about; the first alert names it.</param>
    /// <param name="why">How its record begins.</param>
    /// <param name="link">Says in which way it goes on from the one that ended.</param>
    public async Task<Incident> OpenAsync(
        Incident ended, Runbook runbook, IReadOnlyList<Alert> alerts, string why, Func<Incident, Incident> link, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var candidate = link(new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = ended.RunbookId,
            RunbookHash = ended.RunbookHash,
            Title = ended.Title,
            Target = ended.Target,
            Team = ended.Team,
            Publication = ended.Publication,
            Alert = alerts[0],
            Severity = runbook.Impact.Severity,
            Mode = mode.After(ended),
            OpenedAt = now,
            UpdatedAt = now,
        });
        candidate = alerts.Aggregate(candidate.Note(now, TimelineKind.Opened, "runbook", why), (changed, alert) => changed.Attach(alert, now).KeepEnd(ended.Alerts.FirstOrDefault(known => known.Is(alert)), now));

        // A no to the one that ended, or to another incident in between, is a no on this target.
        return (await store.OpenAsync(
            candidate,
            runbook,
            latest => !MakesRoom(latest, ended) ? WithThose(latest, alerts, now) : latest.Id == ended.Id ? candidate.WarnOfNo(latest, now) : candidate.GoOnAfter(latest, now),
            cancellationToken)).Incident;
    }

    private static bool MakesRoom(Incident latest, Incident ended) =>
        latest.Id == ended.Id || (latest.State.IsFinal() && !latest.IsOwnedByResponder() && latest.Follows != ended.Id && latest.FollowUpOf != ended.Id);

    private static Incident WithThose(Incident latest, IReadOnlyList<Alert> alerts, DateTimeOffset now) =>
        alerts.Where(alert => !latest.Alerts.Any(known => known.Is(alert))).Aggregate(latest, (changed, alert) => changed.Attach(alert, now));

    /// <summary>After the one that ended knows of it: what is on record and not started is started by the watchdog.</summary>
    public async Task StartAsync(Incident opened, Runbook runbook)
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
