using System.Diagnostics.CodeAnalysis;

namespace Runbooks.Engine;

/// <summary>Which workflow runs for each name. An engine that runs workflows itself looks them up here.</summary>
public sealed class WorkflowTable
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public WorkflowTable Add<TIn, TOut>(string name, Func<IWorkflowContext, TIn, Task<TOut>> run)
    {
        if (!_entries.TryAdd(name, new Entry(name, async (context, input) => DurableJson.Write(await run(context, DurableJson.Read<TIn>(input)!)))))
        {
            throw new InvalidOperationException($"Two workflows are called '{name}'.");
        }

        return this;
    }

    public bool TryFind(string name, [NotNullWhen(true)] out Entry? entry) => _entries.TryGetValue(name, out entry);

    /// <summary>One workflow, from its input as JSON to its result as JSON.</summary>
    public sealed record Entry(string Name, Func<IWorkflowContext, string, Task<string>> RunAsync);
}
