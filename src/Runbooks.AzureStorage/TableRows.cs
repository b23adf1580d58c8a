using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Azure;
using static Runbooks.AzureStorage.AzureStorageErrors;

namespace Runbooks.AzureStorage;

/// <summary>
/// One table, with expected outcomes as values. Each write has a mark of its own: when the SDK repeats a request whose answer was lost, the
/// second one gets "exists already" or "changed meanwhile", and the mark shows that the first one was ours.
/// </summary>
internal sealed class TableRows(TableClient table)
{
    private const string Mark = "Write";

    private volatile bool _exists;

    public async Task<TableEntity?> FindAsync(string partition, string row, IEnumerable<string>? select, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        var found = await GuardAsync(() => table.GetEntityIfExistsAsync<TableEntity>(partition, row, select, cancellationToken), cancellationToken);
        return found.HasValue ? found.Value : null;
    }

    /// <returns>The tag of the new row; null when the row exists already.</returns>
    public async Task<ETag?> AddAsync(TableEntity entity, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        return await WriteAsync(entity, () => table.AddEntityAsync(entity, cancellationToken), cancellationToken);
    }

    /// <returns>The row's new tag; null when it was changed or removed since it had this one.</returns>
    public Task<ETag?> ReplaceAsync(TableEntity entity, ETag tag, CancellationToken cancellationToken) =>
        UpdateAsync(entity, tag, TableUpdateMode.Replace, cancellationToken);

    /// <summary>Leaves properties alone that are not given.</summary>
    /// <inheritdoc cref="ReplaceAsync"/>
    public Task<ETag?> MergeAsync(TableEntity entity, ETag tag, CancellationToken cancellationToken) =>
        UpdateAsync(entity, tag, TableUpdateMode.Merge, cancellationToken);

    public async Task PutAsync(TableEntity entity, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        await GuardAsync(() => table.UpsertEntityAsync(entity, TableUpdateMode.Replace, cancellationToken), cancellationToken);
    }

    /// <param name="entities">From one partition, each row once, at most 100.</param>
    public async Task PutAllAsync(IEnumerable<TableEntity> entities, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        await GuardAsync(
            () => table.SubmitTransactionAsync(
                entities.Select(entity => new TableTransactionAction(TableTransactionActionType.UpsertReplace, entity)),
                cancellationToken), cancellationToken);
    }

    /// <returns>False when the row was changed since it had this tag; true when it is gone, now or already.</returns>
    public async Task<bool> RemoveAsync(string partition, string row, ETag tag, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        return await GuardAsync(
            async () =>
            {
                try
                {
                    await table.DeleteEntityAsync(partition, row, tag, cancellationToken);
                    return true;
                }
                catch (RequestFailedException e) when (e.Status is 404 or 412)
                {
                    return e.Status == 404;
                }
            },
            cancellationToken);
    }

    /// <summary>Page by page in the order of the keys. Each page is fetched when it is needed.</summary>
    public async IAsyncEnumerable<TableEntity> QueryAsync(
        string filter, int pageSize, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken, IEnumerable<string>? select = null)
    {
        await EnsureAsync(cancellationToken);
        await using var rows = table
            .QueryAsync<TableEntity>(filter, Math.Min(pageSize, 1_000), select, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (await GuardAsync(() => rows.MoveNextAsync().AsTask(), cancellationToken))
        {
            yield return rows.Current;
        }
    }

    private async Task<ETag?> UpdateAsync(TableEntity entity, ETag tag, TableUpdateMode mode, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        return await WriteAsync(entity, () => table.UpdateEntityAsync(entity, tag, mode, cancellationToken), cancellationToken);
    }

    private async Task<ETag?> WriteAsync(TableEntity entity, Func<Task<Response>> write, CancellationToken cancellationToken)
    {
        var mark = Guid.NewGuid();
        entity[Mark] = mark;
        var written = await GuardAsync(
            async () =>
            {
                try
                {
                    return (await write()).Headers.ETag;
                }
                catch (RequestFailedException e) when (e.Status is 404 or 409 or 412 && e.ErrorCode is not ("TableBeingDeleted" or "TableNotFound"))
                {
                    return (ETag?)null;
                }
            },
            cancellationToken);
        return written ?? (await FindAsync(entity.PartitionKey, entity.RowKey, [Mark], cancellationToken) is { } found && found.GetGuid(Mark) == mark
            ? found.ETag
            : null);
    }

    private async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (!_exists)
        {
            await GuardAsync(() => table.CreateIfNotExistsAsync(cancellationToken), cancellationToken);
            _exists = true;
        }
    }
}

/// <summary>
/// Keys of rows. Azure forbids <c>/ \ # ?</c> and control characters in keys and limits their length, and our texts come from outside. So
/// keys are hashes, which also spread the partitions evenly.
/// </summary>
internal static class TableKeys
{
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())));

    /// <summary>With the length first, so that no two pairs of runbook and target read the same.</summary>
    public static string Claim(string runbookId, string target) =>
        Hash($"{runbookId.Length}:{runbookId}{target}");

    /// <summary>A day, the latest first.</summary>
    public static string Day(DateTimeOffset at) =>
        ((DateTime.MaxValue.Ticks - at.UtcTicks) / TimeSpan.TicksPerDay).ToString("D7", CultureInfo.InvariantCulture);

    /// <summary>A moment and a mark that tells incidents of the same moment apart, the latest first.</summary>
    public static string Moment(DateTimeOffset at, string tie) =>
        $"{DateTime.MaxValue.Ticks - at.UtcTicks:D19}-{tie}";
}

/// <summary>
/// Puts rows of which many may come at once into one partition. The first one is put at once. Those that come during a request share the
/// next request.
/// </summary>
internal sealed class GroupedPuts(TableRows rows)
{
    private const int MostInOneRequest = 100;

    private readonly Lock _gate = new();

    /// <summary>By partition, while a request to it runs.</summary>
    private readonly Dictionary<string, List<Put>> _waiting = new(StringComparer.Ordinal);

    /// <summary>Completes once the row is durable.</summary>
    public Task PutAsync(TableEntity row, CancellationToken cancellationToken)
    {
        var put = new Put(row, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            if (_waiting.TryGetValue(row.PartitionKey, out var others))
            {
                others.Add(put);
                return put.Done.Task.WaitAsync(cancellationToken);
            }

            _waiting[row.PartitionKey] = [];
        }

        _ = PutAllAsync(put);
        return put.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task PutAllAsync(Put first)
    {
        for (IReadOnlyList<Put> some = [first]; some.Count > 0; some = Next(first.Row.PartitionKey))
        {
            if (some.Count == 1 || !await TryTogetherAsync(some))
            {
                await Task.WhenAll(some.Select(AloneAsync));
            }
        }
    }

    private List<Put> Next(string partition)
    {
        lock (_gate)
        {
            var waiting = _waiting[partition];

            // A request takes each row once, so a later version of a row waits for the next request.
            List<Put> some = [.. waiting.DistinctBy(put => put.Row.RowKey).Take(MostInOneRequest)];
            waiting.RemoveAll(some.Contains);
            if (some.Count == 0)
            {
                _waiting.Remove(partition);
            }

            return some;
        }
    }

    /// <returns>False when they cannot be sent together. A refusal by the account fails all of them: no row of an index is near its limits.</returns>
    private async Task<bool> TryTogetherAsync(IReadOnlyList<Put> some)
    {
        try
        {
            await rows.PutAllAsync(some.Select(put => put.Row), CancellationToken.None);
        }
        catch (StoreUnavailableException away)
        {
            // The account would refuse each of them too.
            foreach (var put in some)
            {
                put.Done.SetException(away);
            }

            return true;
        }
        // Any other failure: each is tried by itself, and reports its own.
        catch (Exception)
        {
            return false;
        }

        foreach (var put in some)
        {
            put.Done.SetResult();
        }

        return true;
    }

    private async Task AloneAsync(Put put)
    {
        try
        {
            await rows.PutAsync(put.Row, CancellationToken.None);
            put.Done.SetResult();
        }
        catch (Exception failure)
        {
            put.Done.SetException(failure);
        }
    }

    private sealed record Put(TableEntity Row, TaskCompletionSource Done);
}
