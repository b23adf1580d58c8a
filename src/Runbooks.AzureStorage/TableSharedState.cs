namespace Runbooks.AzureStorage;

/// <summary>Shared documents, one row each, changed under its tag.</summary>
internal sealed class TableSharedState(AzureStorageClients clients, AzureStorageOptions options, TimeProvider time) : ISharedState
{
    private const string Row = "state";

    private readonly TableDocuments _documents = new(clients.Table(options.StateTable), clients.Container(options.DocumentContainer));
    private readonly DocumentCache _lastSeen = new(256, time);
    private readonly KeyedRetry _retry = new(time);

    public async Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class =>
        (await ReadAsync<T>(TableKeys.Hash(key), cancellationToken))?.Value;

    public async Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        var partition = TableKeys.Hash(key);
        var done = await _retry.RetryAsync(
            partition,
            async () => _lastSeen.TryChange(partition, change, out TableDocument<T>? seen, out var tried) && await TryWriteAsync(partition, seen, tried.Item1, cancellationToken)
                ? Tuple.Create(tried.Item1, tried.Item2)
                : await ReadAndChangeAsync(partition, change, cancellationToken),
            cancellationToken);
        return (done.Item1, done.Item2);
    }

    public async Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
        where T : class
    {
        var partition = TableKeys.Hash(key);
        if (await ReadAsync<T>(partition, cancellationToken) is { } found && when(found.Value))
        {
            // Whoever changed it since keeps it.
            _lastSeen.Forget(partition);
            await _documents.RemoveAsync(partition, Row, found.Tag, found.Blob, cancellationToken);
        }
    }

    /// <returns>Null when another writer was quicker.</returns>
    private async Task<Tuple<T, TResult>?> ReadAndChangeAsync<T, TResult>(string partition, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        var before = await ReadAsync<T>(partition, cancellationToken);
        var (after, result) = change(before?.Value);
        return ReferenceEquals(before?.Value, after) || await TryWriteAsync(partition, before, after, cancellationToken) ? Tuple.Create(after, result) : null;
    }

    private async Task<TableDocument<T>?> ReadAsync<T>(string partition, CancellationToken cancellationToken)
        where T : class =>
        _lastSeen.Note(partition, await _documents.FindAsync<T>(partition, Row, cancellationToken));

    private async Task<bool> TryWriteAsync<T>(string partition, TableDocument<T>? before, T after, CancellationToken cancellationToken)
        where T : class
    {
        var entity = new TableEntity(partition, Row);
        return _lastSeen.Note(partition, before is null
            ? await _documents.AddAsync(entity, after, cancellationToken)
            : await _documents.ReplaceAsync(entity, after, before.Tag, before.Blob, cancellationToken)) is not null;
    }
}
