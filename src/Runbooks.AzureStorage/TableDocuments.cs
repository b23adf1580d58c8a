using Azure;
using Azure.Data.Tables;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>A document as it was read, and the tag under which it may be replaced.</summary>
internal sealed record TableDocument<T>(T Value, ETag Tag, string? Blob);

/// <summary>
/// Documents in rows; one that is too large for a row lies in a blob that the row names. Each version has a blob of its
/// own, written before the row: whichever version the row shows is whole.
/// </summary>
internal sealed class TableDocuments(TableRows rows, BlobFiles blobs)
{
    private const string Blob = "Blob";

    public async Task<TableDocument<T>?> FindAsync<T>(string partition, string row, CancellationToken cancellationToken)
        where T : class
    {
        while (await rows.FindAsync(partition, row, null, cancellationToken) is { } entity)
        {
            if (PackedJson.Find<T>(entity, PackedJson.Document) is { } value)
            {
                return new(value, entity.ETag, null);
            }

            if (entity.GetString(Blob) is not { } blob)
            {
                return null;
            }

            if (await blobs.FindAsync(blob, cancellationToken) is { } content)
            {
                await using (content)
                {
                    return new(PackedJson.Unpack<T>(content), entity.ETag, blob);
                }
            }

            // The row was replaced, and its old blob removed, since it was read.
        }

        return null;
    }

    /// <returns>False when there is such a row.</returns>
    public Task<bool> AddAsync<T>(TableEntity entity, T value, CancellationToken cancellationToken) =>
        WriteAsync(entity, value, () => rows.AddAsync(entity, cancellationToken), cancellationToken);

    /// <returns>False when the row was changed or removed since it was read.</returns>
    public async Task<bool> ReplaceAsync<T>(TableEntity entity, T value, ETag tag, string? before, CancellationToken cancellationToken)
    {
        var written = await WriteAsync(entity, value, () => rows.ReplaceAsync(entity, tag, cancellationToken), cancellationToken);
        if (written && before is not null)
        {
            await blobs.RemoveAsync(before, cancellationToken);
        }

        return written;
    }

    public async Task RemoveAsync(string partition, string row, ETag tag, string? blob, CancellationToken cancellationToken)
    {
        if (await rows.RemoveAsync(partition, row, tag, cancellationToken) && blob is not null)
        {
            await blobs.RemoveAsync(blob, cancellationToken);
        }
    }

    /// <summary>Removes the blobs of all versions.</summary>
    public Task RemoveBlobsAsync(string partition, CancellationToken cancellationToken) => blobs.RemoveAllAsync($"{partition}/", cancellationToken);

    private async Task<bool> WriteAsync<T>(TableEntity entity, T value, Func<Task<bool>> write, CancellationToken cancellationToken)
    {
        var packed = PackedJson.Pack(value);
        if (PackedJson.TryPut(entity, PackedJson.Document, packed))
        {
            return await write();
        }

        var blob = $"{entity.PartitionKey}/{Guid.NewGuid():N}";
        entity[Blob] = blob;
        using var content = new MemoryStream(packed);
        await blobs.PutAsync(blob, content, cancellationToken);
        if (await write())
        {
            return true;
        }

        await blobs.RemoveAsync(blob, cancellationToken);
        return false;
    }
}

/// <summary>Shared documents, one row each, changed under its tag.</summary>
internal sealed class TableSharedState(AzureStorageClients clients, AzureStorageOptions options, TimeProvider time) : ISharedState
{
    private const string Row = "state";

    private readonly TableDocuments _documents = new(clients.Table(options.StateTable), clients.Container(options.DocumentContainer));
    private readonly KeyedRetry _contention = new(time);

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

    public async Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
        where T : class
    {
        var partition = TableKeys.Hash(key);
        if (await _documents.FindAsync<T>(partition, Row, cancellationToken) is { } found && when(found.Value))
        {
            // Whoever changed it since keeps it.
            await _documents.RemoveAsync(partition, Row, found.Tag, found.Blob, cancellationToken);
        }
    }
}
