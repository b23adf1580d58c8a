using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;

namespace Runbooks.Guardrails;

public sealed class RunHistoryStore(
    ISharedState state, StepCatalog catalog, IOptionsMonitor<SafetyOptions> options, TimeProvider time, ILogger<RunHistoryStore> logger)
{
    public async Task<RunHistory> ReadAsync(string runbookId, CancellationToken cancellationToken) =>
        await state.FindAsync<RunHistory>(Key(runbookId), cancellationToken) ?? new RunHistory();

    public async Task<IReadOnlyList<(string Runbook, BreakerOpening Breaker)>> OpenBreakersAsync(
        IEnumerable<Runbook> runbooks, CancellationToken cancellationToken)
    {
        var open = new List<(string, BreakerOpening)>();
        foreach (var id in runbooks.Select(runbook => runbook.Id).Order(StringComparer.Ordinal))
        {
            if ((await ReadAsync(id, cancellationToken)).Breaker is { } breaker)
            {
                open.Add((id, breaker));
            }
        }

        return open;
    }

    /// <summary>Safe to repeat. An incident that never acted is not recorded.</summary>
    public async Task RecordAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (RunAssessment.Of(incident) is not { } assessed)
        {
            return;
        }

        var run = assessed with { Subject = SubjectOf(incident, runbook), IsTemporary = runbook.Mitigation.HoldUntil is not null };
        var (history, opened) = await state.UpdateAsync<RunHistory, bool>(
            Key(incident.RunbookId),
            known =>
            {
                var before = known ?? new RunHistory();
                var after = before.Record(run, RecurredWithin(runbook), options.CurrentValue.BreakerAfter);
                return (after, after.Breaker != before.Breaker);
            },
            cancellationToken);
        if (opened)
        {
            Log.BreakerOpened(logger, incident.RunbookId, history.Breaker!.Why);
        }
    }

    /// <summary>For checks that fail in the settle window, however long that is.</summary>
    public Task MarkRecurredAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken) =>
        state.ChangeAsync<RunHistory>(
            Key(incident.RunbookId),
            known => (known ?? new()).MarkRecurred(incident.TargetKey, SubjectOf(incident, runbook), time.GetUtcNow(), TimeSpan.MaxValue),
            cancellationToken);

    /// <inheritdoc cref="RecordedRun" path="/param[@name='Subject']"/>
    public string? SubjectOf(Incident incident, Runbook runbook) =>
        ParameterComparison.SubjectOf(runbook, incident.Alert, step => catalog.ChangeSomething([step]));

    public async Task<BreakerOpening?> ResetAsync(string runbookId, string by, string reason, CancellationToken cancellationToken)
    {
        var (_, before) = await state.UpdateAsync<RunHistory, BreakerOpening?>(
            Key(runbookId),
            known => known is { Breaker: { } open } ? (known.Reset(by, reason, time.GetUtcNow()), open) : (known ?? new(), null),
            cancellationToken);
        if (before is not null)
        {
            Log.BreakerReset(logger, runbookId, by, reason);
        }

        return before;
    }

    /// <summary>
    /// A fix that lasted less than this did not hold. A temporary one was taken back because its cause was gone: a cause that comes back
    /// hours later says nothing against it.
    /// </summary>
    public static TimeSpan RecurredWithin(Runbook runbook) =>
        runbook.Mitigation.HoldUntil is null ? Lately(runbook.Limits) : runbook.Limits.SettleFor;

    /// <summary>The time within which recurrences are counted.</summary>
    public static TimeSpan Lately(Limits limits) => limits.SettleFor > limits.Per ? limits.SettleFor : limits.Per;

    /// <summary>Stored; never rename.</summary>
    private static string Key(string runbookId) => $"ledger:{runbookId}";
}

/// <summary>A fix that did not help several times in a row is not repeated without a person.</summary>
public sealed class BreakerGuardrail(RunHistoryStore histories) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        if (question.HasBegun)
        {
            return null;
        }

        if ((await question.HistoryAsync(histories, cancellationToken)).Breaker is not { } open)
        {
            return null;
        }

        var effect = open.AsksFirst
            ? $", {open.Effect} It asks until somebody resets it, with a reason."
            : $": {open.Why} Somebody has to reset it, with a reason.";
        return new(
            GuardrailNames.Breaker,
            $"The breaker of runbook '{question.Runbook.Id}' has been open since {GateText.DayAndClock(open.At)}{effect}",
            open.AsksFirst ? GuardrailSeverity.AskFirst : GuardrailSeverity.Forbid)
        {
            IsLiftedByPeople = !open.AsksFirst,
        };
    }
}
