namespace Runbooks.Intake;

/// <summary>What nobody was asked about while a window ran, or while an alert came and went after a no.</summary>
public sealed partial class IncidentIntake
{
    /// <summary>Opens an incident that looks at what nobody was asked about for a while, unless a later one on the target does so.</summary>
    /// <returns>False when its runbook is not loaded any more.</returns>
    public async Task<bool> LookAgainAsync(Incident waited, CancellationToken cancellationToken)
    {
        if (loaded().FirstOrDefault(one => one.Id == waited.RunbookId) is not { } runbook)
        {
            return false;
        }

        var now = time.GetUtcNow();
        var candidate = new AlertBatch(runbook.Id, waited.Target, AlertIntent.Fire, [waited.Unasked()], []) { Runbook = runbook }.Candidate(runbook, options.CurrentValue.Mode, now).TakeUp(waited, now);
        Incident? before = null;
        var (incident, opened) = await store.OpenAsync(candidate, runbook, latest => Look(before = latest), cancellationToken);
        if (opened || before!.UnheardOf(waited).Count > 0)
        {
            await store.UpdateAsync(waited.Id, current => current.NoteTakenUp(incident.Id, now), CancellationToken.None);
        }

        if (opened)
        {
            incident = await AddUnaskedAsync(incident, before?.Id == waited.Id ? null : before, CancellationToken.None);
            await StartAsync(new(incident, runbook));
            Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
        }
        else if (Wakes(incident))
        {
            await updates.WakeAsync(incident);
        }

        return true;

        // A later one knows what nobody had been asked about when it opened; what came to an incident before it since, it does not.
        Incident Look(Incident latest) =>
            latest.Id == waited.Id ? (latest.IsUnasked() ? candidate.WarnOfNo(latest, now) : latest)
            : latest.UnheardOf(waited) is not { Count: > 0 } unheard ? latest
            : latest.MakesRoom() ? candidate.GoOnAfter(latest, now)
            : unheard.Aggregate(latest, (joined, alert) => joined.Attach(alert, now));
    }
}
