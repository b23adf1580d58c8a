namespace Runbooks.Sqlite.Store;

/// <summary>
/// Documents of one table: those written or read last, as they are committed, and the changes of the open transaction. Only this process
/// uses the database, so what is committed here is current, and most readers need not ask it. Two generations bound the cache: a document
/// that was not written for a whole generation is dropped. Cached documents are shared and never changed.
/// </summary>
internal sealed class DocumentCache<T>(int generation)
    where T : class
{
    private readonly Lock _lock = new();

    /// <summary>Used by the writer's thread only.</summary>
    private readonly Dictionary<string, (T? Before, T? After)> _changes = new(StringComparer.Ordinal);

    private Dictionary<string, T?> _young = new(StringComparer.Ordinal);
    private Dictionary<string, T?> _old = new(StringComparer.Ordinal);
    private long _commits;

    /// <summary>The changes of the open transaction: each document once, however often it changed.</summary>
    public IReadOnlyDictionary<string, (T? Before, T? After)> Changes => _changes;

    /// <summary>Counts up whenever committed documents may have changed.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    /// <param name="document">Null where it is known that there is none.</param>
    /// <param name="changing">Asked inside the transaction, where its own changes count.</param>
    /// <returns>False when only the database knows.</returns>
    public bool TryFind(string key, bool changing, out T? document)
    {
        if (changing && _changes.TryGetValue(key, out var change))
        {
            document = change.After;
            return true;
        }

        lock (_lock)
        {
            return _young.TryGetValue(key, out document) || _old.TryGetValue(key, out document);
        }
    }

    /// <summary>Caches a document that was read, unless something was committed meanwhile.</summary>
    /// <param name="commits">The count from before the read.</param>
    public void Keep(string key, T? document, long commits)
    {
        lock (_lock)
        {
            if (commits == _commits)
            {
                Put(key, document);
            }
        }
    }

    /// <summary>The last thing that a piece of work does, so that a failure leaves no change here.</summary>
    /// <param name="after">Null when it is removed.</param>
    public void Change(string key, T? before, T? after) =>
        _changes[key] = (_changes.TryGetValue(key, out var earlier) ? earlier.Before : before, after);

    /// <summary>The transaction deletes it. Only for a cache without documents that were read.</summary>
    public void Drop(string key)
    {
        _changes.Remove(key);
        Forget(key);
    }

    public void Commit()
    {
        lock (_lock)
        {
            _commits++;
            foreach (var (key, (_, after)) in _changes)
            {
                if (after is null)
                {
                    Forget(key);
                }
                else
                {
                    Put(key, after);
                }
            }
        }

        _changes.Clear();
    }

    public void Undo() => _changes.Clear();

    /// <summary>After a failure it is not known what was committed.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _commits++;
            _young.Clear();
            _old.Clear();
        }

        _changes.Clear();
    }

    private void Put(string key, T? document)
    {
        if (_young.Count >= generation)
        {
            (_old, _young) = (_young, new(StringComparer.Ordinal));
        }

        _young[key] = document;
    }

    private void Forget(string key)
    {
        lock (_lock)
        {
            _young.Remove(key);
            _old.Remove(key);
        }
    }
}
