using System.Diagnostics.CodeAnalysis;

namespace Runbooks.AzureStorage;

/// <summary>
/// Documents as this process last read or wrote them. Others may have changed them since, so nobody is told that one is
/// current. But a change may be tried on one without reading it again: the write names its tag and is refused if it is not.
/// </summary>
/// <param name="most">Of more, those that were not seen for the longest are forgotten.</param>
internal sealed class LastSeen(int most, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, object Document, long At)> _order = [];
    private readonly Dictionary<string, LinkedListNode<(string Key, object Document, long At)>> _known = new(StringComparer.Ordinal);

    /// <returns>The same document.</returns>
    /// <param name="document">Null: there is none, or somebody else has changed it.</param>
    public TableDocument<T>? Note<T>(string key, TableDocument<T>? document)
    {
        lock (_gate)
        {
            if (_known.Remove(key, out var old))
            {
                _order.Remove(old);
            }

            // One that lies in a blob is large, and rare.
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

    /// <returns>Null when it was not seen for longer than this.</returns>
    public TableDocument<T>? Find<T>(string key, TimeSpan? within = null)
        where T : class
    {
        lock (_gate)
        {
            return _known.TryGetValue(key, out var node) && !(time.GetElapsedTime(node.Value.At) > within) ? node.Value.Document as TableDocument<T> : null;
        }
    }

    /// <summary>Tries a change on the document as it was last seen. What comes of it counts only once it is written under that document's tag.</summary>
    /// <returns>False when it has to be read: it was not seen, or nothing would be written that could prove it current.</returns>
    public bool TryChange<T, TResult>(string key, Func<T?, (T, TResult)> change, [NotNullWhen(true)] out TableDocument<T>? seen, out (T, TResult) changed)
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
#pragma warning disable CA1031 // What an old version does not allow the current one may; if not, that says so.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }
}
