using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>
/// Checks whether a verified fix still holds, when an alert comes in shortly after it. Counter-based alerts fire on for a
/// while after a good fix, so the alert alone proves nothing; a check that fails does, and opens a new incident at once. One that cannot be
/// answered is asked again; where the alert still fires when the window ends, a new incident opens then.
/// </summary>
public sealed class SettleWindow(IIncidentStore store, CheckRunner checks, RunHistoryStore histories, NextIncident next, TimeProvider time)
{
    /// <returns>Healthy while nothing says that the fix does not hold, and unclear where nothing says that it does; otherwise a new incident is open.</returns>
    public async Task<RecheckResult> RecheckAsync(Incident closed, Runbook runbook, RecheckRequest request, CancellationToken cancellationToken)
    {
        // Before the checks are asked: an alert that comes meanwhile must not be taken for one that they have answered.
        var current = await store.UpdateAsync(closed.Id, i => i.SettlesAt is null ? i : i with { WakeEvent = request.WakeEvent }, cancellationToken);
        if (current.SettlesAt is not { } settles || (settles <= time.GetUtcNow() && !current.FiresUnseen()))
        {
            // There is no window, or this is the last look and nothing came that is not over.
            return new RecheckResult(true, "", null);
        }

        var specs = runbook.Diagnosis.Where(spec => request.Checks.Contains(spec.Name));
        var findings = await checks.AskAllAsync(closed, specs, cancellationToken);
        var failing = findings.Where(finding => finding.Verdict == Verdict.Failing).ToList();
        if (failing.Count > 0)
        {
            var failed = Incident.Summarize(failing);
            await histories.MarkRecurredAsync(closed, runbook, cancellationToken);
            await OpenAsync(
                closed, runbook, $"The last fix did not hold: the alert came again after incident {closed.Id} was resolved, and its checks fail. {failed}",
                incident => incident with { Follows = closed.Id }, $"The fix did not hold ({failed})", cancellationToken);
            return new RecheckResult(false, failed, null);
        }

        var unknown = findings.Where(finding => finding.Verdict == Verdict.Unknown).ToList();
        if (unknown.Count == 0 || !current.FiresUnseen())
        {
            return new RecheckResult(true, "", null);
        }

        var summary = Incident.Summarize(unknown);
        if (time.GetUtcNow() < settles)
        {
            return new RecheckResult(true, summary, null) { IsUnclear = true };
        }

        await OpenAsync(
            closed, runbook, $"The alert fires again after incident {closed.Id} was resolved, and whether that fix holds could not be found out. {summary}",
            incident => incident with { FollowUpOf = closed.Id }, $"Whether the fix holds could not be found out, and the alert fires ({summary})", cancellationToken);
        return new RecheckResult(false, summary, null);
    }

    /// <param name="why">How the new one's record begins.</param>
    /// <param name="ended">What the ended one says about it.</param>
    private async Task OpenAsync(Incident closed, Runbook runbook, string why, Func<Incident, Incident> link, string ended, CancellationToken cancellationToken)
    {
        var opened = await next.OpenAsync(closed, runbook, [closed.Alert], why, incident => link(incident) with { StartedBy = closed.StartedBy }, cancellationToken);
        await store.UpdateAsync(closed.Id, i => i.EndSettling($"{ended}; incident {opened.Id} goes on.", time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened, runbook);
    }
}
