using System.Diagnostics.CodeAnalysis;

namespace Runbooks.AzureStorage;

/// <summary>
/// Documents as this process last read or wrote them. Others may have changed them since, so they never count as current. But a change may be
/// tried on one without reading it again: the write has its tag and is refused if the document is not current.
/// </summary>
/// <param name="most">Beyond this, the documents that were not seen for the longest are dropped.</param>
internal sealed class DocumentCache(int most, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, object Document, long At)> _order = [];
    private readonly Dictionary<string, LinkedListNode<(string Key, object Document, long At)>> _known = new(StringComparer.Ordinal);

    /// <param name="document">Null: there is none, or somebody else has changed it.</param>
    public TableDocument<T>? Note<T>(string key, TableDocument<T>? document)
    {
        lock (_gate)
        {
            if (_known.Remove(key, out var old))
            {
                _order.Remove(old);
            }

            // A document in a blob is large, and rare.
            if (document is { Blob: null })
            {
                _known[key] = _order.AddFirst((key, document, time.GetTimestamp()));
                if (_known.Count > most)
                {
                    _known.Remove(_order.Last!.Value.Key);
                    _order.RemoveLast();
                }
            }
        }

        return document;
    }

    public void Forget(string key) => Note<object>(key, null);

    public TableDocument<T>? Find<T>(string key, TimeSpan? within = null)
        where T : class
    {
        lock (_gate)
        {
            return _known.TryGetValue(key, out var node) && !(time.GetElapsedTime(node.Value.At) > within)
                ? node.Value.Document as TableDocument<T>
                : null;
        }
    }

    /// <summary>Tries a change on the cached document. It counts only once it is written under that document's tag.</summary>
    /// <returns>False when the document has to be read: it was not seen, or no write would prove it current.</returns>
    public bool TryChange<T, TResult>(
        string key, Func<T?, (T, TResult)> change, [NotNullWhen(true)] out TableDocument<T>? seen, out (T, TResult) changed)
        where T : class
    {
        (seen, changed) = (Find<T>(key), default);
        if (seen is null)
        {
            return false;
        }

        try
        {
            changed = change(seen.Value);
            return !ReferenceEquals(changed.Item1, seen.Value);
        }
        // What an old version does not allow, the current one may. Reading it will tell.
        catch (Exception)
        {
            return false;
        }
    }
}

/// <summary>
/// Repeats writes that lost against another writer. Writers of one process queue on the key, so that a storm on one target costs a write each.
/// Between processes the loser waits a random time and reads again.
/// </summary>
internal sealed class KeyedRetry(TimeProvider time)
{
    private const int Attempts = 60;

    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim[] _queues = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    /// <param name="attempt">Returns null when somebody else was faster.</param>
    /// <exception cref="StoreUnavailableException">Others were faster every time.</exception>
    public async Task<T> RetryAsync<T>(string key, Func<Task<T?>> attempt, CancellationToken cancellationToken)
        where T : class
    {
        var queue = _queues[(uint)string.GetHashCode(key, StringComparison.Ordinal) % _queues.Length];
        await queue.WaitAsync(cancellationToken);
        try
        {
            for (var failures = 0; failures < Attempts; failures++)
            {
                if (await attempt() is { } result)
                {
                    return result;
                }

                var longest = Math.Min(s_longestPause.TotalMilliseconds, 5 << Math.Min(failures, 10));
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * longest), time, cancellationToken);
            }

            throw new StoreUnavailableException("Too many writers change the same record at once.");
        }
        finally
        {
            queue.Release();
        }
    }
}
