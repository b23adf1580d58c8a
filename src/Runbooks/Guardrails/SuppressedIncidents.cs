namespace Runbooks.Guardrails;

/// <summary>
/// Incidents that a maintenance window, or a no to an alert that comes and goes, kept from asking for a while. They are looked at again
/// when that is over, also after a restart.
/// </summary>
public sealed class SuppressedIncidents(ISharedState state, MaintenanceWindows windows)
{
    /// <summary>Targets; beyond that a person is told.</summary>
    public const int Max = 1_000;

    private const string Key = "safety:suppressed";

    /// <summary>A process that claimed an incident and did not finish counts as dead after this long.</summary>
    private static readonly TimeSpan s_claimedFor = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Remembers the latest incident of each target, which knows what earlier ones could not ask, and also each incident whose alert came
    /// again after a no.
    /// </summary>
    /// <param name="window">The effect of the window; null for a no.</param>
    /// <returns>False when there are too many.</returns>
    public async Task<bool> RememberAsync(
        Incident incident, DateTimeOffset until, MaintenanceEffect? window, CancellationToken cancellationToken)
    {
        var by = window is { } effect ? new SuppressingWindow(incident.RunbookId, effect) : null;
        var own = incident.HoldsUnasked() ? $"\n{incident.Id}" : "";
        var target = TextHash.Of($"{incident.RunbookId}\n{incident.Target}{own}", bytes: 8);
        var suppressed = new SuppressedIncident(incident.Id, target, until) { By = by };
        var (_, remembered) = await state.UpdateAsync<Record, bool>(
            Key, known => Remember(known ?? Record.None, suppressed), cancellationToken);
        return remembered;
    }

    public async Task<bool> IsRememberedAsync(string incidentId, CancellationToken cancellationToken) =>
        await state.FindAsync<Record>(Key, cancellationToken) is { } record
        && record.Waiting.Any(waiting => waiting.IncidentId == incidentId);

    /// <returns>TooMany: how many targets there was no room for, counted up to <see cref="Max"/>.</returns>
    public async Task<(IReadOnlyList<SuppressedIncident> Due, int TooMany)> ClaimDueAsync(
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await state.FindAsync<Record>(Key, cancellationToken) is not { } record)
        {
            return ([], 0);
        }

        // A window that was removed, shortened or made milder has ended, whatever its planned end.
        var over = record.Waiting.Select(waiting => waiting.By).Concat(record.BeyondBy).OfType<SuppressingWindow>().ToHashSet();
        over.RemoveWhere(by => windows.OpenFor(by.Runbook, now)?.Window.Effect >= by.Effect);
        if (Claim(record, over, now).Claimed is { Due.Count: 0, TooMany: 0 })
        {
            return ([], 0);
        }

        var (_, claimed) = await state.UpdateAsync<Record, (IReadOnlyList<SuppressedIncident> Due, int TooMany)>(
            Key, latest => Claim(latest!, over, now), cancellationToken);
        return claimed;
    }

    public Task ForgetAsync(SuppressedIncident suppressed, CancellationToken cancellationToken) => state.ChangeAsync<Record>(
        Key,
        record => record! with { Waiting = [.. record.Waiting.Where(waiting => waiting.IncidentId != suppressed.IncidentId)] },
        cancellationToken);

    /// <param name="told">If there are more by now, all are reported again.</param>
    public Task ForgetTooManyAsync(int told, CancellationToken cancellationToken) =>
        state.ChangeAsync<Record>(
            Key,
            record => record!.Beyond.Count == told ? record with { Beyond = [], BeyondBy = [], BeyondUntil = null } : record,
            cancellationToken);

    private static (Record, bool) Remember(Record record, SuppressedIncident suppressed)
    {
        var others = record.Waiting.Where(waiting => waiting.Target != suppressed.Target).ToList();
        if (others.Count < Max)
        {
            return (record with { Waiting = [.. others, suppressed] }, true);
        }

        // An alert repeats for as long as the window lasts, each time as another incident, so targets are counted.
        var isCounted = record.Beyond.Contains(suppressed.Target) || record.Beyond.Count == Max;
        return (record with
        {
            Beyond = isCounted ? record.Beyond : [.. record.Beyond, suppressed.Target],
            BeyondBy = suppressed.By is { } by ? [.. record.BeyondBy.Union([by])] : record.BeyondBy,
            BeyondUntil = record.BeyondUntil > suppressed.Until ? record.BeyondUntil : suppressed.Until,
        }, false);
    }

    private static (Record Record, (IReadOnlyList<SuppressedIncident> Due, int TooMany) Claimed) Claim(
        Record record, HashSet<SuppressingWindow> over, DateTimeOffset now)
    {
        var due = record.Waiting.Where(waiting => IsOver(waiting) && !waiting.IsClaimed(now, s_claimedFor)).ToList();
        var isBeyondOver = record.BeyondUntil <= now || (record.BeyondBy.Count > 0 && record.BeyondBy.All(over.Contains));
        List<SuppressedIncident> marked =
        [
            .. record.Waiting.Select(waiting => due.Contains(waiting) ? waiting with { ClaimedAt = now } : waiting),
        ];
        return (record with { Waiting = marked }, (due, isBeyondOver ? record.Beyond.Count : 0));

        bool IsOver(SuppressedIncident waiting) => waiting.Until <= now || (waiting.By is { } by && over.Contains(by));
    }

    private sealed record Record(IReadOnlyList<SuppressedIncident> Waiting)
    {
        public static readonly Record None = new([]);

        public IReadOnlyList<string> Beyond { get; init; } = [];

        public IReadOnlyList<SuppressingWindow> BeyondBy { get; init; } = [];
        public DateTimeOffset? BeyondUntil { get; init; }
    }
}

/// <param name="Target">A hash of runbook and target, which is shorter.</param>
/// <param name="Until">When it may ask again, unless that is lifted before.</param>
public sealed record SuppressedIncident(string IncidentId, string Target, DateTimeOffset Until, DateTimeOffset? ClaimedAt = null)
{
    /// <summary>Null where a no keeps it from asking.</summary>
    public SuppressingWindow? By { get; init; }

    /// <summary>A claim far in the future was made by a clock that was ahead.</summary>
    internal bool IsClaimed(DateTimeOffset now, TimeSpan claimedFor) => ClaimedAt is { } claimed && (now - claimed).Duration() < claimedFor;
}

/// <summary>The effect that a window had when it kept an incident from asking.</summary>
public sealed record SuppressingWindow(string Runbook, MaintenanceEffect Effect);
