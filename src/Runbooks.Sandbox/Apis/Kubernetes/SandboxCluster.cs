using System.Text.RegularExpressions;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>
/// One cluster with the namespace <c>inference</c>: GPU pods <c>llm-{cluster}-N</c> of a stateful set, a stateless
/// <c>tokenizer</c> of a deployment, and a <c>debug-shell</c> that nobody would respawn.
/// </summary>
internal sealed partial class SandboxCluster(string name, SandboxOptions options)
{
    public const string Namespace = "inference";
    private static readonly TimeSpan HungFor = TimeSpan.FromMinutes(9);
    private static readonly TimeSpan Age = TimeSpan.FromDays(6);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, SandboxPod> _pods = new(StringComparer.Ordinal);
    private readonly PodOwner _gpuPods = new("StatefulSet", $"llm-{name}", Guid.NewGuid().ToString());
    private readonly PodOwner _tokenizers = new("ReplicaSet", "tokenizer-7d9f8c6b5d", Guid.NewGuid().ToString());

    public string Name => name;

    /// <summary>How many pods this cluster has deleted, whoever asked.</summary>
    public int Deletions { get; private set; }

    /// <summary>The pod of that name as it is now; GPU pods come into being when they are first asked for.</summary>
    public SandboxPod? Find(string podName)
    {
        lock (_lock)
        {
            Furnish();
            if (!_pods.ContainsKey(podName) && GpuPodName().Match(podName) is { Success: true } match && match.Groups[1].Value == name)
            {
                Add(podName, _gpuPods, hung: match.Groups[2].Value != "1");
            }

            return _pods.TryGetValue(podName, out var pod) && pod.At(Now) is not null ? pod : null;
        }
    }

    public IReadOnlyList<SandboxPod> Pods()
    {
        lock (_lock)
        {
            Furnish();
            return [.. _pods.Values.Where(pod => pod.At(Now) is not null).OrderBy(pod => pod.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>Deletes the pod's present life and lets its controller spawn the next one.</summary>
    public void Delete(SandboxPod pod)
    {
        lock (_lock)
        {
            if (pod.At(Now) is not { DeletedAt: null } life)
            {
                return;
            }

            Deletions++;
            var ends = Now + options.TerminatesAfter;
            pod.End(life, Now, ends);
            switch (pod.Owner?.Kind)
            {
                case "StatefulSet":
                    pod.Begin(NewLife(ends));
                    break;
                case "ReplicaSet":
                    var next = $"{pod.Owner.Name}-{Guid.NewGuid().ToString()[..5]}";
                    _pods[next] = new SandboxPod(next, pod.Owner, pod.Container, NewLife(Now));
                    break;
            }
        }
    }

    public void Reset()
    {
        lock (_lock)
        {
            _pods.Clear();
            Deletions = 0;
        }
    }

    private DateTimeOffset Now => options.Time.GetUtcNow();

    private void Furnish()
    {
        if (_pods.Count == 0)
        {
            Add($"llm-{name}-0", _gpuPods, hung: true);
            Add($"llm-{name}-1", _gpuPods, hung: false);
            Add($"{_tokenizers.Name}-x2x4v", _tokenizers, hung: false);
            Add("debug-shell", null, hung: false);
        }
    }

    private void Add(string podName, PodOwner? owner, bool hung)
    {
        var created = Now - Age;
        var life = NewLife(created) with { HungAt = hung ? Now - HungFor : null };
        _pods[podName] = new SandboxPod(podName, owner, owner == _gpuPods ? "vllm" : "main", life);
    }

    private PodLife NewLife(DateTimeOffset createdAt) => new(Guid.NewGuid().ToString(), createdAt, createdAt + options.ReadyAfter);

    [GeneratedRegex("^llm-([a-z0-9]{1,20})-(0|[1-9][0-9]{0,5})$", RegexOptions.NonBacktracking)]
    private static partial Regex GpuPodName();
}

/// <summary>The clusters of the sandbox. Kubernetes shows and changes them, Prometheus measures them.</summary>
internal sealed class SandboxClusters(SandboxOptions options)
{
    public IReadOnlyList<SandboxCluster> All { get; } = [new("b", options)];

    public SandboxCluster? Find(string name) => All.FirstOrDefault(cluster => cluster.Name == name);
}

/// <summary>A pod by its name, with the lives it has had. All that it shows follows from its lives and the time.</summary>
internal sealed class SandboxPod(string name, PodOwner? owner, string container, PodLife first)
{
    private readonly List<PodLife> _lives = [first];

    public string Name => name;

    public PodOwner? Owner => owner;

    public string Container => container;

    public IReadOnlyList<PodLife> Lives => _lives;

    /// <summary>The life that a GET shows; null once the last one has ended, or before the first began.</summary>
    public PodLife? At(DateTimeOffset now) => _lives.LastOrDefault(life => life.CreatedAt <= now && !(life.EndsAt <= now));

    public PodLife? Before(PodLife life)
    {
        var index = _lives.IndexOf(life);
        return index > 0 ? _lives[index - 1] : null;
    }

    public void End(PodLife life, DateTimeOffset deletedAt, DateTimeOffset endsAt) =>
        _lives[_lives.IndexOf(life)] = life with { DeletedAt = deletedAt, EndsAt = endsAt };

    public void Begin(PodLife life)
    {
        _lives.Add(life);
        // The sandbox can run for weeks: only the life before this one is ever asked for again.
        if (_lives.Count > 3)
        {
            _lives.RemoveAt(0);
        }
    }
}

/// <summary>The controller that respawns a pod.</summary>
internal sealed record PodOwner(string Kind, string Name, string Uid);

/// <summary>One pod object from its creation to its end; a replacement is another life with another UID.</summary>
internal sealed record PodLife(string Uid, DateTimeOffset CreatedAt, DateTimeOffset ReadyAt)
{
    /// <summary>When it stopped answering and logging; null for a healthy one.</summary>
    public DateTimeOffset? HungAt { get; init; }

    /// <summary>When its deletion was asked for.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>When it was gone.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    public bool IsReady(DateTimeOffset now) => now >= ReadyAt;

    public bool IsHung(DateTimeOffset now) => HungAt <= now;
}
