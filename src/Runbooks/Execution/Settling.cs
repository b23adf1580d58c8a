using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>
/// Looks whether a verified fix still holds, when an alert comes in shortly after it. Counter-based alerts fire on for a
/// while after a good fix, so the alert alone proves nothing; a check that fails does, and opens a new incident at once.
/// </summary>
public sealed class Settling(IIncidentStore store, CheckRunner checks, Ledgers ledgers, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<Settling> logger)
{
    /// <returns>Healthy while the fix holds; otherwise a new incident is open.</returns>
    public async Task<LookReport> LookAsync(Incident closed, Runbook runbook, LookRequest request, CancellationToken cancellationToken)
    {
        var specs = runbook.Diagnosis.Where(spec => request.Checks.Contains(spec.Name));
        var findings = await Task.WhenAll(specs.Select(spec => checks.AskAsync(closed, spec, cancellationToken)));
        var failing = findings.Where(finding => finding.Verdict == Verdict.Failing).ToList();
        if (failing.Count == 0)
        {
            await store.UpdateAsync(closed.Id, i => i with { WakeEvent = request.WakeEvent }, cancellationToken);
            return new LookReport(true, "", null);
        }

        var summary = IncidentFindings.Summarize(failing);
        var opened = await OpenAsync(closed, runbook, summary, cancellationToken);
        await store.UpdateAsync(closed.Id, i => Relapsed(i, opened.Id, summary), cancellationToken);
        await ledgers.MarkRecurredAsync(closed, runbook, cancellationToken);
        await StartAsync(opened, runbook);
        return new LookReport(false, summary, null);
    }

    /// <summary>Safe to repeat: what is the target's newest incident by then is not opened again.</summary>
    private async Task<Incident> OpenAsync(Incident closed, Runbook runbook, string summary, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var candidate = new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = closed.RunbookId,
            RunbookHash = closed.RunbookHash,
            Title = closed.Title,
            Target = closed.Target,
            Alert = closed.Alert,
            Mode = closed.Mode,
            Follows = closed.Id,
            OpenedAt = now,
            UpdatedAt = now,
        };
        candidate = candidate.Note(now, TimelineKind.Opened, "runbook", $"The last fix did not hold: the alert came again after incident {closed.Id} was resolved, and its checks fail. {summary}").Attach(closed.Alert, now);
        return (await store.OpenAsync(candidate, runbook, latest => latest.Id == closed.Id ? null : latest, cancellationToken)).Incident;
    }

    private Incident Relapsed(Incident closed, string next, string summary) => closed.SettlesAt is null
        ? closed
        : (closed with { SettlesAt = null, WakeEvent = null }).Note(time.GetUtcNow(), TimelineKind.Verification, "runbook", $"The fix did not hold ({summary}); incident {next} goes on.");

    private async Task StartAsync(Incident opened, Runbook runbook)
    {
        try
        {
            await (engine()?.StartAsync(IncidentInput.Of(opened.Id, runbook), CancellationToken.None) ?? Task.CompletedTask);
        }
#pragma warning disable CA1031 // The incident is on record; an engine that cannot be reached from here gets it from the watch.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.WakeFailed(logger, opened.Id, failure);
        }
    }
}
