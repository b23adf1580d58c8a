using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;

namespace Runbooks.Intake;

/// <summary>
/// A person has an ended incident tried again: a new incident on the same target, with the alerts of the old one and the
/// runbook as it is loaded now. Everything in it begins anew, the checks and the question too.
/// </summary>
public sealed class IncidentRetry(
    LoadedRunbooks runbooks, IIncidentStore store, IIncidentEngine engine, IOptionsMonitor<SafetyOptions> options, TimeProvider time, ILogger<IncidentRetry> logger)
{
    public async Task<RetryResult> RetryAsync(string incidentId, string by, string reason, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(incidentId, cancellationToken) is not { } ended)
        {
            return new(DecisionStatus.NotFound, $"There is no incident '{Clip.To(incidentId, 80)}'.", null);
        }

        if (Refusal(ended) is { } refusal)
        {
            return refusal;
        }

        if (runbooks().FirstOrDefault(loaded => loaded.Id == ended.RunbookId) is not { } runbook)
        {
            return new(DecisionStatus.NotAllowed, $"Runbook '{ended.RunbookId}' is not loaded any more, so there is nothing to try again.", null);
        }

        var now = time.GetUtcNow();
        var batch = new AlertBatch(runbook.Id, ended.Target, AlertIntent.Fire, [ended.Alert], []) { Runbook = runbook, StartedBy = by };
        var candidate = batch.Candidate(runbook, options.CurrentValue.Mode, now).TryAgain(ended, by, reason, now);
        var (incident, opened) = await store.OpenAsync(
            candidate, runbook, latest => latest.Id == ended.Id || (latest.State.IsFinal() && !latest.IsOwnedByResponder()) ? null : latest, cancellationToken);
        if (!opened && incident.RetryOf != ended.Id)
        {
            return new(DecisionStatus.AlreadyClosed, $"Incident {incident.Id} on this target is open already: {IncidentText.Of(incident.State)}.", incident.Id);
        }

        // From here on the new incident is on record: whoever hangs up no longer stops its start.
        await store.UpdateAsync(ended.Id, current => current.NoteRetried(incident.Id, by, reason, now), CancellationToken.None);
        await engine.StartAsync(IncidentInput.Of(incident.Id, runbook), CancellationToken.None);
        Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
        return new(DecisionStatus.Decided, $"It is tried again as incident {incident.Id}.", incident.Id);
    }

    private static RetryResult? Refusal(Incident incident) => incident switch
    {
        { RetriedAs: { } next } => new(DecisionStatus.AlreadyCounted, $"It was tried again already, as incident {next}.", next),
        _ when !incident.State.IsFinal() => new(DecisionStatus.NotAllowed, $"Incident {incident.Id} has not ended: {IncidentText.Of(incident.State)}. Stop it first, or wait for its end.", incident.Id),
        _ when incident.IsOwnedByResponder() => new(DecisionStatus.NotAllowed, $"A responder owns incident {incident.Id}. Close it first; then it can be tried again.", incident.Id),
        _ => null,
    };
}

/// <param name="Message">In words, for whoever asked.</param>
/// <param name="Incident">The new one, or the one that stands in the way; null when there is neither.</param>
public sealed record RetryResult(DecisionStatus Status, string Message, string? Incident);
