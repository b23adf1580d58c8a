using System.Diagnostics.CodeAnalysis;

namespace Runbooks.Engine;

/// <summary>Which code runs for each activity name. An engine that runs activities itself looks them up here.</summary>
public sealed class ActivityTable
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>The registered names.</summary>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public ActivityTable Add<TIn, TOut>(Activity<TIn, TOut> activity, Func<TIn, CancellationToken, Task<TOut>> run)
    {
        if (!_entries.TryAdd(activity.Name, new Entry(typeof(TIn), typeof(TOut), async (input, ct) => await run((TIn)input!, ct))))
        {
            throw new InvalidOperationException($"Two activities are called '{activity.Name}'.");
        }

        return this;
    }

    public bool TryFind(string name, [NotNullWhen(true)] out Entry? entry) => _entries.TryGetValue(name, out entry);

    /// <summary>One activity with its types, for engines that keep inputs and results as JSON.</summary>
    public sealed record Entry(Type Input, Type Output, Func<object?, CancellationToken, Task<object?>> RunAsync);
}
