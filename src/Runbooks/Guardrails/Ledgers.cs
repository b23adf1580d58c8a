using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Guardrails;

/// <summary>Keeps each runbook's ledger.</summary>
public sealed class Ledgers(ISharedState state, IOptionsMonitor<SafetyOptions> options, TimeProvider time, ILogger<Ledgers> logger)
{
    public async Task<RunbookLedger> ReadAsync(string runbookId, CancellationToken cancellationToken) =>
        await state.FindAsync<RunbookLedger>(Key(runbookId), cancellationToken) ?? new RunbookLedger();

    /// <summary>Records how an ended incident's fix went; safe to repeat. What never acted is not a fix.</summary>
    public async Task RecordAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (LedgerEntry.Of(incident) is not { } run)
        {
            return;
        }

        var (ledger, opened) = await state.UpdateAsync<RunbookLedger, bool>(
            Key(incident.RunbookId),
            known =>
            {
                var before = known ?? new RunbookLedger();
                var after = before.Record(run, RecurredWithin(runbook.Limits), options.CurrentValue.BreakerAfter);
                return (after, before.Breaker is null && after.Breaker is not null);
            },
            cancellationToken);
        if (opened)
        {
            Log.BreakerOpened(logger, incident.RunbookId, ledger.Breaker!.Why);
        }
    }

    public Task MarkRecurredAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken) =>
        state.UpdateAsync<RunbookLedger, bool>(
            Key(incident.RunbookId),
            known => ((known ?? new()).MarkRecurred(incident.Target, time.GetUtcNow(), RecurredWithin(runbook.Limits)), true),
            cancellationToken);

    /// <summary>Closes the breaker again.</summary>
    /// <returns>Null when it was not open.</returns>
    public async Task<BreakerOpening?> ResetAsync(string runbookId, string by, string reason, CancellationToken cancellationToken)
    {
        var (_, before) = await state.UpdateAsync<RunbookLedger, BreakerOpening?>(
            Key(runbookId),
            known => known is { Breaker: { } open } ? (known.Reset(by, reason, time.GetUtcNow()), open) : (known ?? new(), null),
            cancellationToken);
        if (before is not null)
        {
            Log.BreakerReset(logger, runbookId, by, reason);
        }

        return before;
    }

    /// <summary>A fix that lasted less than this did not hold.</summary>
    public static TimeSpan RecurredWithin(Limits limits) => limits.SettleFor > limits.Per ? limits.SettleFor : limits.Per;

    private static string Key(string runbookId) => $"ledger:{runbookId}";
}
