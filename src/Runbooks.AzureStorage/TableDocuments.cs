using System.IO.Compression;
using System.Text.Json;
using Azure;
using Runbooks.Engine;

namespace Runbooks.AzureStorage;

internal sealed record TableDocument<T>(T Value, ETag Tag, string? Blob)
{
    /// <summary>An index has its summary too, as its row says.</summary>
    public bool IsListed { get; init; }
}

/// <summary>
/// Documents in rows. One that is too large for a row is in a blob that the row names. Each version has a blob of its own, written before
/// the row, so every version that a row shows is complete.
/// </summary>
internal sealed class TableDocuments(TableRows rows, BlobFiles blobs)
{
    /// <summary>In a row whose summary is in an index too; the next version does not have it.</summary>
    public const string Listed = "Listed";

    private const string Blob = "Blob";

    /// <exception cref="InvalidDataException">Its blob is gone: removed by hand, or the account was restored without its blobs.</exception>
    public async Task<TableDocument<T>?> FindAsync<T>(string partition, string row, CancellationToken cancellationToken)
        where T : class
    {
        ETag? missing = null;
        while (await rows.FindAsync(partition, row, null, cancellationToken) is { } entity)
        {
            if (PackedJson.Find<T>(entity, PackedJson.Document) is { } value)
            {
                return new(value, entity.ETag, null) { IsListed = entity.GetBoolean(Listed) == true };
            }

            if (entity.GetString(Blob) is not { } blob)
            {
                return null;
            }

            if (await blobs.ReadAsync(blob, cancellationToken) is { } content)
            {
                return new(PackedJson.Unpack<T>(content.ToStream()), entity.ETag, blob) { IsListed = entity.GetBoolean(Listed) == true };
            }

            // Either the row was replaced, and its old blob removed, since it was read; or the blob is lost.
            if (missing == entity.ETag)
            {
                throw new InvalidDataException($"The blob {blob} is gone, and with it the document of the row {row}.");
            }

            missing = entity.ETag;
        }

        return null;
    }

    /// <returns>Null when the row exists already.</returns>
    public Task<TableDocument<T>?> AddAsync<T>(TableEntity entity, T value, CancellationToken cancellationToken) =>
        WriteAsync(entity, value, () => rows.AddAsync(entity, cancellationToken), cancellationToken);

    /// <returns>Null when the row was changed or removed since it was read.</returns>
    public async Task<TableDocument<T>?> ReplaceAsync<T>(TableEntity entity, T value, ETag tag, string? before, CancellationToken cancellationToken)
    {
        var written = await WriteAsync(entity, value, () => rows.ReplaceAsync(entity, tag, cancellationToken), cancellationToken);
        if (written is not null && before is not null)
        {
            await TryRemoveAsync(before, cancellationToken);
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

    public Task RemoveBlobsAsync(string partition, CancellationToken cancellationToken) => blobs.RemoveAllAsync($"{partition}/", cancellationToken);

    /// <summary>Writes a blob that belongs to no document.</summary>
    public Task TryWritingAsync(CancellationToken cancellationToken) => blobs.PutAsync("health", Stream.Null, cancellationToken);

    /// <summary>Failures are ignored: the new version is on record, and a blob that stays is removed with the document.</summary>
    private async Task TryRemoveAsync(string blob, CancellationToken cancellationToken)
    {
        try
        {
            await blobs.RemoveAsync(blob, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
        }
    }

    private async Task<TableDocument<T>?> WriteAsync<T>(TableEntity entity, T value, Func<Task<ETag?>> write, CancellationToken cancellationToken)
    {
        var packed = PackedJson.Pack(value);
        if (PackedJson.TryPut(entity, PackedJson.Document, packed))
        {
            return await write() is { } tag ? new(value, tag, null) : null;
        }

        var blob = $"{entity.PartitionKey}/{Guid.NewGuid():N}";
        entity[Blob] = blob;
        using var content = new MemoryStream(packed);
        await blobs.PutAsync(blob, content, cancellationToken);
        if (await write() is { } written)
        {
            return new(value, written, blob);
        }

        await blobs.RemoveAsync(blob, cancellationToken);
        return null;
    }
}

/// <summary>
/// JSON in the binary properties of a row: compressed, in pieces of 64 KB, which is the most that a property takes. A reader names the pieces
/// that it wants, so that a listing can fetch a summary without its document.
/// </summary>
internal static class PackedJson
{
    /// <summary>A row takes 1 MB in all; the rest is for the summary and the keys.</summary>
    public const int MaxPieces = 12;

    private const int Piece = 65_536;

    /// <summary>Pieces of a summary. Its texts are bounded, so these are always enough.</summary>
    public static readonly string[] Summary = Names("Summary", 3);

    public static readonly string[] Document = Names("Document", MaxPieces);

    public static byte[] Pack<T>(T value)
    {
        using var packed = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            JsonSerializer.Serialize(brotli, value, DurableJson.Options);
        }

        return packed.ToArray();
    }

    /// <exception cref="JsonException">This version does not know its form.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static T Unpack<T>(Stream packed)
    {
        using var brotli = new BrotliStream(packed, CompressionMode.Decompress);
        try
        {
            return JsonSerializer.Deserialize<T>(brotli, DurableJson.Options)!;
        }
        catch (InvalidOperationException damaged)
        {
            throw new InvalidDataException("What is stored cannot be unpacked.", damaged);
        }
    }

    /// <returns>False when it does not fit into these pieces; then nothing was put.</returns>
    public static bool TryPut(TableEntity row, string[] pieces, byte[] packed)
    {
        if (packed.Length > pieces.Length * Piece)
        {
            return false;
        }

        for (var i = 0; i * Piece < packed.Length; i++)
        {
            row[pieces[i]] = packed[(i * Piece)..Math.Min(packed.Length, (i + 1) * Piece)];
        }

        return true;
    }

    public static T? Find<T>(TableEntity row, string[] pieces)
        where T : class
    {
        if (row.GetBinary(pieces[0]) is null)
        {
            return null;
        }

        using var packed = new MemoryStream();
        foreach (var piece in pieces.Select(row.GetBinary).TakeWhile(piece => piece is not null))
        {
            packed.Write(piece);
        }

        packed.Position = 0;
        return Unpack<T>(packed);
    }

    private static string[] Names(string name, int count) => [.. Enumerable.Range(0, count).Select(i => $"{name}{i}")];
}

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

    public async Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(
        string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        var partition = TableKeys.Hash(key);
        var done = await _retry.RetryAsync(
            partition,
            async () => _lastSeen.TryChange(partition, change, out TableDocument<T>? seen, out var tried)
                && await TryWriteAsync(partition, seen, tried.Item1, cancellationToken)
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
            // Changed since: the newer version stays.
            _lastSeen.Forget(partition);
            await _documents.RemoveAsync(partition, Row, found.Tag, found.Blob, cancellationToken);
        }
    }

    /// <returns>Null when another writer was faster.</returns>
    private async Task<Tuple<T, TResult>?> ReadAndChangeAsync<T, TResult>(
        string partition, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        var before = await ReadAsync<T>(partition, cancellationToken);
        var (after, result) = change(before?.Value);
        return ReferenceEquals(before?.Value, after) || await TryWriteAsync(partition, before, after, cancellationToken)
            ? Tuple.Create(after, result)
            : null;
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
