namespace Runbooks.Integrations.Kubernetes;

/// <summary>The pods that a step has evicted, over all its attempts: a line for each, saved before the next one is evicted.</summary>
internal sealed class EvictedPods
{
    private readonly SortedDictionary<string, string?> _owners = new(StringComparer.Ordinal);
    private readonly StepMemory _memory;

    private EvictedPods(StepMemory memory) => _memory = memory;

    public IReadOnlyCollection<string> Names => _owners.Keys;

    public IEnumerable<(string Namespace, string? Owner)> Owners => _owners.Select(one => (one.Key.Split('/')[0], one.Value)).Distinct();

    public IReadOnlyList<string> Evidence => _owners.Count == 0 ? [] : [_memory.Reference];

    public static async Task<EvictedPods> OfAsync(StepContext context, CancellationToken cancellationToken)
    {
        var pods = new EvictedPods(new StepMemory(context, "evicted"));
        foreach (var words in (await pods._memory.ReadAsync(cancellationToken)).Select(line => line.Split(' ')))
        {
            pods._owners[words[0]] = words.ElementAtOrDefault(1);
        }

        return pods;
    }

    public Task AddAsync(V1Pod pod)
    {
        _owners[PodRoom.NameOf(pod)] = PodReplacement.Controller(pod)?.Uid;
        return _memory.WriteAsync(_owners.Select(one => $"{one.Key} {one.Value}".TrimEnd()));
    }
}
