using Azure.Data.Tables;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>Shared documents, one row each, changed under its tag.</summary>
internal sealed class TableSharedState(AzureStorageClients clients, AzureStorageOptions options, TimeProvider time) : ISharedState
{
    private const string Row = "state";

    private readonly TableDocuments _documents = new(clients.Table(options.StateTable), clients.Container(options.DocumentContainer));
    private readonly Contention _contention = new(time);

    public async Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class =>
        (await _documents.FindAsync<T>(TableKeys.Hash(key), Row, cancellationToken))?.Value;

    public async Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        var partition = TableKeys.Hash(key);
        var done = await _contention.RetryAsync(
            partition,
            async () =>
            {
                var before = await _documents.FindAsync<T>(partition, Row, cancellationToken);
                var (after, result) = change(before?.Value);
                var entity = new TableEntity(partition, Row);
                var written = ReferenceEquals(before?.Value, after) || (before is null
                    ? await _documents.AddAsync(entity, after, cancellationToken)
                    : await _documents.ReplaceAsync(entity, after, before.Tag, before.Blob, cancellationToken));
                return written ? Tuple.Create(after, result) : null;
            },
            cancellationToken);
        return (done.Item1, done.Item2);
    }
}
