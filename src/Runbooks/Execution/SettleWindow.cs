using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>
/// Checks whether a verified fix still holds, when an alert comes in shortly after it. Counter-based alerts fire on for a
/// while after a good fix, so the alert alone proves nothing; a check that fails does, and opens a new incident at once.
/// </summary>
public sealed class SettleWindow(IIncidentStore store, CheckRunner checks, RunHistoryStore histories, NextIncident next, TimeProvider time)
{
    /// <returns>Healthy while the fix holds; otherwise a new incident is open.</returns>
    public async Task<RecheckResult> RecheckAsync(Incident closed, Runbook runbook, RecheckRequest request, CancellationToken cancellationToken)
    {
        // Before the checks are asked: an alert that comes meanwhile must not be taken for one that they have answered.
        await store.UpdateAsync(closed.Id, i => i.SettlesAt is null ? i : i with { WakeEvent = request.WakeEvent }, cancellationToken);
        var specs = runbook.Diagnosis.Where(spec => request.Checks.Contains(spec.Name));
        var findings = await Task.WhenAll(specs.Select(spec => checks.AskAsync(closed, spec, cancellationToken)));
        var failing = findings.Where(finding => finding.Verdict == Verdict.Failing).ToList();
        if (failing.Count == 0)
        {
            return new RecheckResult(true, "", null);
        }

        var summary = Incident.Summarize(failing);

        // Safe to repeat: what is the target's newest incident by then is not opened again.
        var opened = await next.OpenAsync(
            closed,
            runbook,
            [closed.Alert],
            $"The last fix did not hold: the alert came again after incident {closed.Id} was resolved, and its checks fail. {summary}",
            incident => incident with { Follows = closed.Id },
            latest => latest.Id == closed.Id,
            cancellationToken);
        await store.UpdateAsync(closed.Id, i => Relapsed(i, opened.Id, summary), cancellationToken);
        await histories.MarkRecurredAsync(closed, runbook, cancellationToken);
        await next.StartAsync(opened, runbook);
        return new RecheckResult(false, summary, null);
    }

    private Incident Relapsed(Incident closed, string opened, string summary) => closed.SettlesAt is null
        ? closed
        : (closed with { SettlesAt = null, WakeEvent = null }).Note(time.GetUtcNow(), TimelineKind.Verification, "runbook", $"The fix did not hold ({summary}); incident {opened} goes on.");
}
