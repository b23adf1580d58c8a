using Runbooks.Catalog.Templates;

namespace Runbooks.Execution;

public sealed class SuppressionService(
    IIncidentStore store,
    PinnedRunbooks pinned,
    CheckService checks,
    Func<IIncidentEngine?> engine,
    TimeProvider time,
    ILogger<SuppressionService> logger)
{
    /// <summary>Safe to repeat: called when an incident begins, while it waits, and before it asks people.</summary>
    public async Task<SuppressionResult> CheckAsync(SuppressionRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        incident = await checks.CheckClaimAsync(incident, runbook, cancellationToken);
        var now = time.GetUtcNow();
        if (Incident.RecoveredBeforeActing(incident, now))
        {
            await store.UpdateAsync(
                incident.Id, i => i.StopWaiting("The alert is over: this one waits no longer.", now), cancellationToken);
            return new(Waits: false, Recovered: Incident.RecoveryReason(incident));
        }

        if (runbook.SuppressedBy is { } rule && incident.Stop is null)
        {
            incident = await DecideAsync(incident, rule, request.WakeEvent, cancellationToken);
        }

        // Read last: a person's stop counts, whatever the other incident does.
        return incident.Stop is { } stop ? new(Waits: false, StoppedBy: stop.Text) : new(incident.IsWaitingForOther);
    }

    private async Task<Incident> DecideAsync(Incident incident, SuppressedBy rule, string wakeEvent, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var until = incident.OpenedAt + rule.AtMost;
        if (now >= until)
        {
            var why = $"It has waited for {DurationText.Format(rule.AtMost)}, the longest it may. Its own checks are asked.";
            return await StopAsync(incident, why, cancellationToken);
        }

        if (incident.News.LastOrDefault(news => news.Urgent) is { } urgent)
        {
            var why = $"It waits no longer, because there is news: {EndingText.Sentence(urgent.Text)} Its own checks are asked.";
            return await StopAsync(incident, why, cancellationToken);
        }

        var target = Template.RenderLenient(rule.Target, new TemplateScope { Alert = incident.Alert }).Trim();
        if (await FindOtherAsync(incident, rule.Runbook, target, cancellationToken) is { } other)
        {
            // First this incident's wait, then its place at the other: the other's end then finds both or neither.
            var waiting = await store.UpdateAsync(
                incident.Id, i => i.Stop is null ? i.WaitFor(other, until, wakeEvent, now) : i, cancellationToken);
            var (_, covers) = await store.UpdateAsync(
                other.Id, i => i.Covers ? (i.Suppress(incident.Id), true) : (i, false), cancellationToken);
            if (covers)
            {
                return waiting;
            }

            incident = waiting;
        }

        return await StopAsync(incident, await WhyOverAsync(incident, cancellationToken), cancellationToken);
    }

    /// <summary>The sender that named the other's target decides how it is compared.</summary>
    private async Task<Incident?> FindOtherAsync(Incident incident, string runbook, string target, CancellationToken cancellationToken)
    {
        foreach (var key in TargetKey.AllOf(target))
        {
            if (await store.TryFindLatestAsync(runbook, key, cancellationToken) is { } other
                && MayWaitFor(incident, other)
                && TargetKey.IsSame(target, key, other.Alert, (await pinned.OfAsync(other, cancellationToken)).Trigger))
            {
                return other;
            }
        }

        return null;
    }

    /// <summary>
    /// Incidents of runbook versions that did not know of each other could wait for each other for ever. A dry run repairs nothing, so only
    /// another dry run may wait for it.
    /// </summary>
    private static bool MayWaitFor(Incident incident, Incident other) =>
        other.Covers
        && (other.Mode != RunMode.DryRun || incident.Mode == RunMode.DryRun)
        && other.Id != incident.Id
        && !(other.IsWaitingForOther && other.SuppressedBy!.Incident == incident.Id);

    private async Task<string> WhyOverAsync(Incident incident, CancellationToken cancellationToken)
    {
        var other = incident.SuppressedBy is { } waited
            ? await store.TryFindAsync(waited.Incident, cancellationToken)
            : null;
        var ended = other is null ? "is gone or cannot be read"
            : other.State.IsFinal() ? $"has ended ({EndingText.Headline(other)})"
            : "covers it no longer";
        return $"Incident {incident.SuppressedBy?.Incident}, for which this one waited, {ended}. Its own checks are asked.";
    }

    private Task<Incident> StopAsync(Incident incident, string why, CancellationToken cancellationToken) => incident.IsWaitingForOther
        ? store.UpdateAsync(incident.Id, i => i.StopWaiting(why, time.GetUtcNow()), cancellationToken)
        : Task.FromResult(incident);

    /// <summary>An incident that this does not reach looks by itself within a minute.</summary>
    public async Task WakeAsync(Incident ended, CancellationToken cancellationToken)
    {
        foreach (var id in ended.Suppresses)
        {
            if (engine() is { } running && await store.TryFindAsync(id, cancellationToken) is { IsWaitingForOther: true } waiting)
            {
                await running.TryWakeAsync(waiting, logger);
            }
        }
    }
}

public sealed record SuppressionRequest(string IncidentId, string WakeEvent);

/// <param name="Recovered">Why nothing is asked: the alert is over and the checks agree.</param>
public sealed record SuppressionResult(bool Waits, string? StoppedBy = null, string? Recovered = null);
