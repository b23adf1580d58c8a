using Runbooks.Engine;
using Runbooks.Model.Storage;

namespace TestKit.Storage;

/// <summary>Keeps each document as the JSON that a real store has, so that one that does not survive JSON shows in tests.</summary>
public sealed class InMemorySharedState : ISharedState
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _documents = new(StringComparer.Ordinal);

    /// <summary>What goes wrong at each change; nothing unless a test says so.</summary>
    public Func<Exception?>? Fault { get; set; }

    public IReadOnlyCollection<string> Keys
    {
        get
        {
            lock (_lock)
            {
                return [.. _documents.Keys];
            }
        }
    }

    /// <summary>A backup of it.</summary>
    public InMemorySharedState Copy()
    {
        var copy = new InMemorySharedState();
        lock (_lock)
        {
            foreach (var (key, json) in _documents)
            {
                copy._documents[key] = json;
            }
        }

        return copy;
    }

    public async Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class
    {
        await Task.Yield();
        lock (_lock)
        {
            return Read<T>(key);
        }
    }

    public async Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(
        string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        await Task.Yield();
        if (Fault?.Invoke() is { } fault)
        {
            throw fault;
        }

        lock (_lock)
        {
            var before = Read<T>(key);
            var (after, result) = change(before);
            if (!ReferenceEquals(before, after))
            {
                _documents[key] = DurableJson.Write(after);
            }

            return (after, result);
        }
    }

    public async Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
        where T : class
    {
        await Task.Yield();
        lock (_lock)
        {
            if (Read<T>(key) is { } known && when(known))
            {
                _documents.Remove(key);
            }
        }
    }

    private T? Read<T>(string key)
        where T : class =>
        _documents.TryGetValue(key, out var json) ? DurableJson.Read<T>(json) : null;
}
