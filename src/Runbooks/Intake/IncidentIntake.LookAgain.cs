namespace Runbooks.Intake;

/// <content>What an ended incident keeps from asking; and what nobody was asked about for a while.</content>
public sealed partial class IncidentIntake
{
    /// <summary>Answers the alerts that an ended incident keeps from asking, and marks those about which it did something.</summary>
    /// <param name="isRefused">A person said no there to the same alert, and nothing was done about it since.</param>
    private async Task KeepFromAskingAsync(
        AlertBatch batch, IReadOnlyList<FiringAlert> firing, Incident ended, bool isRefused, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!ended.Accepts(now))
        {
            // All in one change: a sender repeats a whole group at each interval.
            var remembered = firing.Where(fired => fired.IsUndecided && ended.Remembers(fired.Alert, now)).ToList();
            if (remembered.Count > 0)
            {
                await store.UpdateAsync(
                    ended.Id,
                    current => remembered.Aggregate(current, (changed, fired) => changed.AttachRemembered(fired.Alert, now)),
                    cancellationToken);
                var folded = batch.Answer(IntakeResult.Folded, ended.Id, $"It still fires and does not ask again: {ended.SaidNo()!.Text}");
                remembered.ForEach(fired => fired.Answer = folded);
            }

            foreach (var fired in firing.Where(fired => fired.IsUndecided))
            {
                fired.Answer = await KeepAsync(batch, fired.Alert, ended, isRefused, now, cancellationToken);
            }
        }

        foreach (var fired in firing.Where(fired => ended.HasActed && (ended.Knows(fired.Alert) || ended.KnowsOutage(fired.Alert))))
        {
            fired.IsActedOn = true;
        }
    }

    /// <returns>Null when the ended incident has nothing to do with this firing.</returns>
    private async Task<IntakeOutcome?> KeepAsync(
        AlertBatch batch, Alert alert, Incident ended, bool isRefused, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (ended.IsOfEarlierEpisode(alert))
        {
            await store.UpdateAsync(ended.Id, current => current.Attach(alert, now), cancellationToken);
            return batch.Answer(IntakeResult.Ignored, null, AlertUpdates.Late(ended));
        }

        if (isRefused && ended.FoldRefused(alert, now) is not null)
        {
            var refused = await store.UpdateAsync(ended.Id, current => current.FoldRefused(alert, now) ?? current, cancellationToken);
            if (refused.HoldsUnasked() && refused.HeldUntil is { } until)
            {
                await suppressed.RememberAsync(refused, until, null, CancellationToken.None);
            }

            return batch.AnswerToFolded(alert, refused, ended, now);
        }

        if (ended.HasStandingFixFor(alert) && ended.TargetKey.Equals(batch.TargetKey, StringComparison.OrdinalIgnoreCase))
        {
            await store.UpdateAsync(ended.Id, current => current.AddOutageNews(alert, now), cancellationToken);
            var outage = Clip.To(AlertIdentity.TrackingId(alert)!, 60);
            return batch.Answer(
                IntakeResult.Folded,
                ended.Id,
                $"Azure says that outage {outage} goes on. "
                    + $"It does not ask again: what was done about it in incident {ended.Id} stands.");
        }

        return ended.KnowsMessage(alert)
            ? batch.Answer(
                IntakeResult.Ignored,
                null,
                $"This very message was taken before: incident {ended.Id} knows it, and has ended. It opens nothing again.")
            : null;
    }

    /// <summary>Opens an incident for what nobody was asked about, unless a later one on the target covers that.</summary>
    /// <returns>False when its runbook is not loaded any more.</returns>
    public async Task<bool> LookAgainAsync(Incident waited, CancellationToken cancellationToken)
    {
        if (loaded().FirstOrDefault(candidate => candidate.Id == waited.RunbookId) is not { } runbook)
        {
            return false;
        }

        var now = time.GetUtcNow();
        var batch = new AlertBatch(runbook.Id, waited.Target, AlertIntent.Fire, [waited.Unasked()], []) { Runbook = runbook };
        var candidate = batch.Candidate(runbook, options.CurrentValue.Mode, now).TakeUp(waited, now);
        Incident? before = null;
        var (incident, opened) = await store.OpenAsync(candidate, runbook, Look, cancellationToken);
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

        // A later incident knows what nobody had been asked about when it opened, but not what came since.
        Incident Look(Incident latest)
        {
            before = latest;
            if (latest.Id == waited.Id)
            {
                return latest.IsUnasked() ? candidate.WarnOfNo(latest, now) : latest;
            }

            if (latest.UnheardOf(waited) is not { Count: > 0 } unheard)
            {
                return latest;
            }

            return latest.MakesRoom()
                ? candidate.GoOnAfter(latest, now)
                : unheard.Aggregate(latest, (joined, alert) => joined.Attach(alert, now));
        }
    }

    private async Task<Incident> AddUnaskedAsync(Incident opened, Incident? before, CancellationToken cancellationToken) =>
        before?.IsUnasked() == true && await suppressed.IsRememberedAsync(before.Id, cancellationToken)
            ? await store.UpdateAsync(opened.Id, current => current.AddUnaskedOf(before, time.GetUtcNow()), cancellationToken)
            : opened;

    private sealed class FiringAlert(Alert alert)
    {
        public Alert Alert { get; } = alert;

        public IntakeOutcome? Answer { get; set; }

        /// <summary>Something was done about it. Ended incidents are read newest first, so an older no does not count any more.</summary>
        public bool IsActedOn { get; set; }

        public bool IsUndecided => Answer is null && !IsActedOn;
    }
}
