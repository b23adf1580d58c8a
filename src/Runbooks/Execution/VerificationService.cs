using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Storage;

namespace Runbooks.Execution;

/// <summary>Asks an incident's checks again: to verify a fix, or to see whether the cause of a lease is gone.</summary>
public sealed class VerificationService(IIncidentStore store, PinnedRunbooks runbooks, CheckRunner checks, KillSwitch killSwitch, SettleWindow settleWindow, HoldingNotifier holding, TimeProvider time)
{
    /// <summary>However often a sender repeats that it is over, the checks are asked no more often than this.</summary>
    private static readonly TimeSpan ShortestClaimPause = TimeSpan.FromSeconds(15);

    /// <summary>Asks one question of the diagnosis.</summary>
    public async Task<Finding> AskAsync(CheckRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        return await checks.AskAsync(incident, Check(await runbooks.OfAsync(incident, cancellationToken), request.Check), cancellationToken);
    }

    public async Task<RecheckResult> RecheckAsync(RecheckRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        if (request.State == IncidentState.Resolved)
        {
            return await settleWindow.RecheckAsync(incident, await runbooks.OfAsync(incident, cancellationToken), request, cancellationToken);
        }

        if (incident.Stop is { } stop)
        {
            return new RecheckResult(false, "", stop.Words);
        }

        // A dry run touched nothing, so nothing can have become better: looking would only time out.
        if (incident.Mode == RunMode.DryRun)
        {
            return new RecheckResult(true, "", null) { IsRehearsal = true };
        }

        // A lease cannot be reverted while nothing may be touched, so its cause does not count as gone.
        if (request.State == IncidentState.Holding && (await killSwitch.ReadAsync(cancellationToken)).Describe() is { } paused)
        {
            incident = await store.UpdateAsync(incident.Id, i => i with { WakeEvent = request.WakeEvent }, cancellationToken);
            return new RecheckResult(false, paused, incident.Stop is { } stopped ? stopped.Words : null);
        }

        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        var specs = request.Checks.Select(name => Check(runbook, name));
        var findings = await Task.WhenAll(specs.Select(spec => checks.AskAsync(incident, spec, cancellationToken)));
        incident = await store.UpdateAsync(
            incident.Id, i => i.RecordVerification(request.State, findings, time.GetUtcNow()) with { WakeEvent = request.WakeEvent }, cancellationToken);
        if (request.State == IncidentState.Holding)
        {
            await holding.NotifyOnceAsync(incident, runbook, cancellationToken);
        }

        var unhealthy = findings.Where(finding => finding.Verdict != Verdict.Passing).ToList();
        return new RecheckResult(unhealthy.Count == 0, Incident.Summarize(unhealthy), incident.Stop is { } late ? late.Words : null)
        {
            IsUnclear = unhealthy.Count > 0 && unhealthy.All(finding => finding.Verdict == Verdict.Unknown),
        };
    }

    /// <summary>
    /// The sender says that it is over before anything was done: asks the checks that call for the mitigation, so that no
    /// question is withdrawn on the sender's word alone. Asked again while they contradict it, no more often than allowed.
    /// </summary>
    public async Task<Incident> CheckClaimAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (!incident.ClaimsRecovery || incident.AlertResolvedAt is not { } claimedAt || incident.Stop is not null
            || (incident.CheckedClaim is { } known && time.GetUtcNow() - known.AskedAt < ShortestClaimPause))
        {
            return incident;
        }

        var when = runbook.Mitigation.When;
        var specs = runbook.Diagnosis.Where(spec => when.Checks.Count == 0 || when.Checks.Contains(spec.Name));
        var findings = await Task.WhenAll(specs.Select(spec => checks.AskAsync(incident, spec, cancellationToken)));
        return await store.UpdateAsync(
            incident.Id, i => i.RecordRecovery(claimedAt, findings, Diagnosis.Conclude(when, findings), time.GetUtcNow()), cancellationToken);
    }

    private static CheckSpec Check(Runbook runbook, string name) =>
        runbook.FindCheck(name) ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no check '{name}'.");
}

/// <param name="State">The state to show while looking: verifying, holding, or resolved in the settle window.</param>
public sealed record RecheckRequest(string IncidentId, IncidentState State, IReadOnlyList<string> Checks, string WakeEvent);

/// <param name="Summary">What is not healthy, in words; empty when all is.</param>
/// <param name="StoppedBy">Not null once a person stopped the incident.</param>
public sealed record RecheckResult(bool Healthy, string Summary, string? StoppedBy)
{
    /// <summary>Nothing fails for certain, and something could not be answered.</summary>
    public bool IsUnclear { get; init; }

    /// <summary>A dry run: nothing was touched, so nothing was asked.</summary>
    public bool IsRehearsal { get; init; }
}

/// <summary>
/// Checks whether a verified fix still holds, when an alert comes in shortly after it. Counter-based alerts fire on for a
/// while after a good fix, so the alert alone proves nothing; a check that fails does, and opens a new incident at once.
/// </summary>
public sealed class SettleWindow(IIncidentStore store, CheckRunner checks, RunHistoryStore histories, FollowingMode mode, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<SettleWindow> logger)
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
        var opened = await OpenAsync(closed, runbook, summary, cancellationToken);
        await store.UpdateAsync(closed.Id, i => Relapsed(i, opened.Id, summary), cancellationToken);
        await histories.MarkRecurredAsync(closed, runbook, cancellationToken);
        await StartAsync(opened, runbook);
        return new RecheckResult(false, summary, null);
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
            Severity = runbook.Impact.Severity,
            Mode = mode.After(closed),
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
