namespace Runbooks.Guardrails;

/// <summary>
/// Incidents that a maintenance window, or a no to an alert that comes and goes, kept from asking for a while: to be looked at
/// again when that is over. Survives a restart.
/// </summary>
public sealed class SuppressedIncidents(ISharedState state, MaintenanceWindows windows)
{
    /// <summary>Targets that are remembered at the same time; of more a person is told.</summary>
    public const int Max = 1_000;

    private const string Key = "safety:suppressed";

    /// <summary>Whoever claimed one and did not finish has died.</summary>
    private static readonly TimeSpan s_claimedFor = TimeSpan.FromMinutes(5);

    /// <summary>Of one target the latest incident is remembered; it knows what those before it were kept from asking about. Beside it each to which an alert came again after a no.</summary>
    /// <param name="window">What the window does that keeps it from asking; null where a no does.</param>
    /// <returns>False when there are too many; their targets are counted.</returns>
    public async Task<bool> RememberAsync(Incident incident, DateTimeOffset until, MaintenanceEffect? window, CancellationToken cancellationToken)
    {
        var by = window is { } effect ? new SuppressingWindow(incident.RunbookId, effect) : null;
        var target = TextHash.Of($"{incident.RunbookId}\n{incident.Target}{(incident.HoldsUnasked() ? $"\n{incident.Id}" : "")}", bytes: 8);
        var (_, remembered) = await state.UpdateAsync<Record, bool>(Key, known => Remember(known ?? Record.None, new(incident.Id, target, until) { By = by }), cancellationToken);
        return remembered;
    }

    /// <summary>Whether it is still to be looked at.</summary>
    public async Task<bool> IsRememberedAsync(string incidentId, CancellationToken cancellationToken) =>
        await state.FindAsync<Record>(Key, cancellationToken) is { } known && known.Waiting.Any(one => one.IncidentId == incidentId);

    /// <returns>What is due and was claimed for the caller, and how many targets were too many to be remembered: as many as <see cref="Max"/> or more where it is that.</returns>
    public async Task<(IReadOnlyList<SuppressedIncident> Due, int TooMany)> ClaimDueAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await state.FindAsync<Record>(Key, cancellationToken) is not { } known)
        {
            return ([], 0);
        }

        // A window that was taken away, made shorter or milder has ended, whatever its end was to be.
        var over = known.Waiting.Select(one => one.By).Concat(known.BeyondBy).OfType<SuppressingWindow>().ToHashSet();
        over.RemoveWhere(by => windows.OpenFor(by.Runbook, now)?.Window.Effect >= by.Effect);
        if (Claim(known, over, now).Claimed is { Due.Count: 0, TooMany: 0 })
        {
            return ([], 0);
        }

        return (await state.UpdateAsync<Record, (IReadOnlyList<SuppressedIncident> Due, int TooMany)>(Key, record => Claim(record!, over, now), cancellationToken)).Result;
    }

    public Task ForgetAsync(SuppressedIncident one, CancellationToken cancellationToken) => state.ChangeAsync<Record>(
        Key, record => record! with { Waiting = [.. record.Waiting.Where(waiting => waiting.IncidentId != one.IncidentId)] }, cancellationToken);

    /// <param name="told">How many a person was told of. Where more have come meanwhile, all are told again.</param>
    public Task ForgetTooManyAsync(int told, CancellationToken cancellationToken) =>
        state.ChangeAsync<Record>(Key, record => record!.Beyond.Count == told ? record with { Beyond = [], BeyondBy = [], BeyondUntil = null } : record, cancellationToken);

    private static (Record, bool) Remember(Record record, SuppressedIncident one)
    {
        var others = record.Waiting.Where(waiting => waiting.Target != one.Target).ToList();
        return others.Count < Max
            ? (record with { Waiting = [.. others, one] }, true)
            : (record with
            {
                // An alert repeats for as long as the window lasts, each time as another incident.
                Beyond = record.Beyond.Contains(one.Target) || record.Beyond.Count == Max ? record.Beyond : [.. record.Beyond, one.Target],
                BeyondBy = one.By is { } by ? [.. record.BeyondBy.Union([by])] : record.BeyondBy,
                BeyondUntil = record.BeyondUntil > one.Until ? record.BeyondUntil : one.Until,
            }, false);
    }

    private static (Record Record, (IReadOnlyList<SuppressedIncident> Due, int TooMany) Claimed) Claim(Record record, HashSet<SuppressingWindow> over, DateTimeOffset now)
    {
        var due = record.Waiting.Where(one => (one.Until <= now || (one.By is { } by && over.Contains(by))) && !one.IsClaimed(now, s_claimedFor)).ToList();
        var isBeyondOver = record.BeyondUntil <= now || (record.BeyondBy.Count > 0 && record.BeyondBy.All(over.Contains));
        return (
            record with { Waiting = [.. record.Waiting.Select(one => due.Contains(one) ? one with { ClaimedAt = now } : one)] },
            (due, isBeyondOver ? record.Beyond.Count : 0));
    }

    private sealed record Record(IReadOnlyList<SuppressedIncident> Waiting)
    {
        public static readonly Record None = new([]);

        /// <summary>Targets that there was no room for.</summary>
        public IReadOnlyList<string> Beyond { get; init; } = [];

        /// <summary>The windows that kept them from asking, each once.</summary>
        public IReadOnlyList<SuppressingWindow> BeyondBy { get; init; } = [];
        public DateTimeOffset? BeyondUntil { get; init; }
    }
}

/// <param name="Target">Names the runbook and the target; shorter than these.</param>
/// <param name="Until">When what keeps it from asking ends, if nobody ends it before.</param>
public sealed record SuppressedIncident(string IncidentId, string Target, DateTimeOffset Until, DateTimeOffset? ClaimedAt = null)
{
    /// <summary>Null where it was no window.</summary>
    public SuppressingWindow? By { get; init; }

    /// <summary>A claim that lies far ahead is of a clock that was.</summary>
    internal bool IsClaimed(DateTimeOffset now, TimeSpan claimedFor) => ClaimedAt is { } claimed && (now - claimed).Duration() < claimedFor;
}

/// <summary>What a window was to a runbook when it kept an incident of it from asking.</summary>
public sealed record SuppressingWindow(string Runbook, MaintenanceEffect Effect);
