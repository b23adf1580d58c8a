namespace Runbooks.Storage;

/// <summary>
/// Notices that the store was restored from a backup. The store has a generation that grows each minute, and a witness outside of it is
/// always written after the store. A witness that is ahead has seen what this store has not; then open incidents are marked before
/// anything acts.
/// </summary>
/// <param name="witness">Null where there is nothing that could be restored.</param>
public sealed class RestoredRecords(
    IIncidentStore store, ISharedState state, TimeProvider time, ILogger<RestoredRecords> logger, IGenerationWitness? witness = null) : IDisposable
{
    private const string Key = "generation";

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile bool _checked;

    public async Task EnsureCheckedAsync(CancellationToken cancellationToken)
    {
        if (!_checked)
        {
            await CheckAsync(cancellationToken);
        }
    }

    /// <summary>Checks, and begins the next generation. Hosts call it every minute.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (witness is null)
        {
            return;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            var seen = await witness.ReadAsync(cancellationToken);
            var known = await state.FindAsync<Generation>(Key, cancellationToken);

            // With a new account another process may have written both since the first read.
            seen ??= known is null ? null : await witness.ReadAsync(cancellationToken);
            var restored = IsRestored(known, seen);
            if (restored)
            {
                await MarkAsync(cancellationToken);
            }

            await AdvanceAsync(Math.Max(known?.Number ?? 0, seen?.Number ?? 0) + 1, restored, cancellationToken);
            _checked = true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <returns>When the store was found to be restored; null once people were told, and where it was not.</returns>
    public async Task<DateTimeOffset?> FindUntoldAsync(CancellationToken cancellationToken) =>
        await state.FindAsync<Generation>(Key, cancellationToken) is { RestoredAt: { } at, Told: false } ? at : null;

    public Task NoteToldAsync(CancellationToken cancellationToken) =>
        state.ChangeAsync<Generation>(Key, known => (known ?? new(0)) with { Told = true }, cancellationToken);

    public void Dispose() => _turn.Dispose();

    /// <summary>
    /// Yes if the witness is ahead, or if one of the two is missing although it was written. A witness that lags or was never written is no
    /// sign: a host may have died between the two writes, or be between them now. Another mark for the same generation is that of a copy.
    /// </summary>
    private static bool IsRestored(Generation? known, WitnessedGeneration? seen) => (known, seen) switch
    {
        (null, null) or ({ IsWitnessed: false }, null) => false,
        (null, _) or (_, null) => true,
        ({ } store, { } outside) => outside.Number > store.Number
            || (outside.Number == store.MarkOf && store.FileMark is { } mark && outside.Mark is { } found && mark != found),
    };

    private async Task MarkAsync(CancellationToken cancellationToken)
    {
        var marked = 0;
        await foreach (var open in store.ListAllAsync(new IncidentQuery(Open: true, Limit: 500), cancellationToken))
        {
            // An incident that this version cannot read cannot act, and must not stop the others from being marked.
            if (await store.TryFindAsync(open.Id, cancellationToken) is not null)
            {
                await store.UpdateAsync(open.Id, incident => incident.NoteRestored(time.GetUtcNow()), cancellationToken);
                marked++;
            }
        }

        Log.StoreRestored(logger, marked);
    }

    /// <summary>Writes the store first, so that a host that dies in between leaves a witness that lags.</summary>
    private async Task AdvanceAsync(long number, bool restored, CancellationToken cancellationToken)
    {
        var begun = await state.ChangeAsync<Generation>(
            Key,
            known => (known ?? new(0)) with
            {
                Number = Math.Max(number, (known?.Number ?? 0) + 1),
                RestoredAt = restored ? time.GetUtcNow() : known?.RestoredAt,
                Told = !restored && (known?.Told ?? true),
            },
            cancellationToken);
        var written = await witness!.WriteAsync(begun.Number, cancellationToken);
        if (written.Mark is not null || !begun.IsWitnessed)
        {
            await state.ChangeAsync<Generation>(
                Key, known => known! with { IsWitnessed = true, FileMark = written.Mark, MarkOf = written.Number }, cancellationToken);
        }
    }

    private sealed record Generation(long Number)
    {
        /// <summary>Whether the witness was ever written. Before that, a missing witness means nothing.</summary>
        public bool IsWitnessed { get; init; }

        public string? FileMark { get; init; }
        public long MarkOf { get; init; }

        public DateTimeOffset? RestoredAt { get; init; }

        public bool Told { get; init; }
    }
}
