using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Execution;

/// <summary>Asks an incident's checks again: to verify a fix, or to see whether the cause of a lease is gone.</summary>
public sealed class Looker(IIncidentStore store, PinnedRunbooks runbooks, CheckRunner checks, KillSwitch killSwitch, Settling settling, TimeProvider time)
{
    /// <summary>Asks one question of the diagnosis.</summary>
    public async Task<Finding> AskAsync(CheckRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        return await checks.AskAsync(incident, Check(await runbooks.OfAsync(incident, cancellationToken), request.Check), cancellationToken);
    }

    public async Task<LookReport> LookAsync(LookRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        if (request.State == IncidentState.Resolved)
        {
            return await settling.LookAsync(incident, await runbooks.OfAsync(incident, cancellationToken), request, cancellationToken);
        }

        if (incident.Stop is { } stop)
        {
            return new LookReport(false, "", $"{stop.By} stopped the incident: {stop.Reason}");
        }

        // A dry run touched nothing, so nothing can have become better: looking would only time out.
        if (incident.Mode == RunMode.DryRun)
        {
            return new LookReport(true, "", null);
        }

        // A lease cannot be reverted while nothing may be touched, so its cause does not count as gone.
        if (request.State == IncidentState.Holding && (await killSwitch.ReadAsync(cancellationToken)).Words() is { } handsOff)
        {
            incident = await store.UpdateAsync(incident.Id, i => i with { WakeEvent = request.WakeEvent }, cancellationToken);
            return new LookReport(false, handsOff, incident.Stop is { } stopped ? $"{stopped.By} stopped the incident: {stopped.Reason}" : null);
        }

        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        var specs = request.Checks.Select(name => Check(runbook, name));
        var findings = await Task.WhenAll(specs.Select(spec => checks.AskAsync(incident, spec, cancellationToken)));
        incident = await store.UpdateAsync(
            incident.Id, i => i.RecordLook(request.State, findings, time.GetUtcNow()) with { WakeEvent = request.WakeEvent }, cancellationToken);
        var unhealthy = findings.Where(finding => finding.Verdict != Verdict.Passing).ToList();
        return new LookReport(unhealthy.Count == 0, IncidentFindings.Summarize(unhealthy), incident.Stop is { } late ? $"{late.By} stopped the incident: {late.Reason}" : null);
    }

    private static CheckSpec Check(Runbook runbook, string name) =>
        runbook.FindCheck(name) ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no check '{name}'.");
}
