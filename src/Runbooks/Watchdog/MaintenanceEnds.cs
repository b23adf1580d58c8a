using Runbooks.Intake;

namespace Runbooks.Watchdog;

/// <summary>
/// When a maintenance window ends or is removed, a new incident on the same target asks the checks about what it suppressed, whatever the
/// sender says by then. The same goes for a flapping alert that still fires after a person's no.
/// </summary>
public sealed class MaintenanceEnds(
    SuppressedIncidents suppressed,
    IIncidentStore store,
    IncidentIntake intake,
    FallbackNotifier fallback,
    TimeProvider time,
    ILogger<MaintenanceEnds> logger) : IWatchdogJob
{
    public string Name => "maintenance windows";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var (due, tooMany) = await suppressed.ClaimDueAsync(time.GetUtcNow(), cancellationToken);
        foreach (var entry in due)
        {
            await logger.TryPartAsync(entry.IncidentId, async token =>
            {
                if (await TakeUpAsync(entry, token))
                {
                    await suppressed.ForgetAsync(entry, token);
                }
            }, cancellationToken);
        }

        var least = tooMany == SuppressedIncidents.Max ? "At least " : "";
        if (tooMany > 0 && await fallback.NotifyAsync(
            "Maintenance has ended: some alerts were not looked at again",
            $"{least}{CountText.Format(tooMany, "target")} had alerts suppressed in a maintenance window beyond the {SuppressedIncidents.Max} that are remembered. "
            + "Their incidents are on record as not needed; look whether they still fire.",
            FallbackNotifier.SystemId,
            $"too-many-suppressed:{tooMany}:{time.GetUtcNow():yyyy-MM-dd}",
            cancellationToken))
        {
            await suppressed.ForgetTooManyAsync(tooMany, cancellationToken);
        }
    }

    private async Task<bool> TakeUpAsync(SuppressedIncident entry, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(entry.IncidentId, cancellationToken) is not { } incident)
        {
            return true;
        }

        if (!incident.State.IsFinal())
        {
            // Its workflow has not reached its end yet.
            return false;
        }

        if (!incident.IsUnasked())
        {
            return true;
        }

        var alert = incident.AlertResolvedAt is null
            ? "The sender has not said that the alert is over"
            : "The sender says that the alert is over, and no check could confirm it";
        return await intake.LookAgainAsync(incident, cancellationToken) || await fallback.NotifyAsync(
            "An alert was not looked at again",
            $"{incident.Title} on {IncidentText.Target(incident.Target)} was kept from asking for a while (incident {incident.Id}), "
            + $"and its runbook '{incident.RunbookId}' is no longer loaded. {alert}; look at it yourself.",
            FallbackNotifier.SystemId,
            $"not-looked-at:{incident.Id}",
            cancellationToken);
    }
}
