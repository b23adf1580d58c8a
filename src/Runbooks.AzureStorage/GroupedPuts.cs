namespace Runbooks.AzureStorage;

/// <summary>
/// Puts rows of which many may come at once in one partition. A first one is put at once; what comes while a request is under
/// way goes together in the next.
/// </summary>
internal sealed class GroupedPuts(TableRows rows)
{
    private const int MostInOneRequest = 100;

    private readonly Lock _gate = new();

    /// <summary>By partition, while a request to it is under way.</summary>
    private readonly Dictionary<string, List<Put>> _waiting = new(StringComparer.Ordinal);

    /// <summary>Done once the row is durable.</summary>
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

            // A request takes each row once; of two versions the later one is put after the earlier.
            List<Put> some = [.. waiting.DistinctBy(put => put.Row.RowKey).Take(MostInOneRequest)];
            waiting.RemoveAll(some.Contains);
            if (some.Count == 0)
            {
                _waiting.Remove(partition);
            }

            return some;
        }
    }

    /// <returns>False when they cannot even be sent together. What the account refuses of them fails for all: no row of an index is near its limits.</returns>
    private async Task<bool> TryTogetherAsync(IReadOnlyList<Put> some)
    {
        try
        {
            await rows.PutAllAsync(some.Select(put => put.Row), CancellationToken.None);
        }
        catch (StoreUnavailableException away)
        {
            // It would be for each of them.
            foreach (var put in some)
            {
                put.Done.SetException(away);
            }

            return true;
        }
#pragma warning disable CA1031 // Whatever it is: each is tried by itself, and says so.
        catch (Exception)
#pragma warning restore CA1031
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
#pragma warning disable CA1031 // Thrown where the row's caller waits.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            put.Done.SetException(failure);
        }
    }

    private sealed record Put(TableEntity Row, TaskCompletionSource Done);
}
