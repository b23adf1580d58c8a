using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>A pod by its name, with the lives it has had. Everything that it shows follows from its lives and the time.</summary>
internal sealed class SandboxPod(string ns, string name, PodOwner? owner, string app, bool asked, PodLife first)
{
    // The sandbox can run for weeks, and only the life before this one is ever asked for again.
    private const int LivesKept = 3;
    private List<PodLife> _lives = [first];

    public string Namespace => ns;

    public string Name => name;

    public PodOwner? Owner => owner;

    public string App => app;

    /// <summary>Somebody asked for it by name, so no controller removes it as one too many.</summary>
    public bool Asked => asked;

    /// <summary>It was never changed since somebody asked for it.</summary>
    public bool IsAsAsked => asked && _lives is [{ DeletedAt: null }];

    public IReadOnlyList<PodLife> Lives => _lives;

    public PodLife Last => _lives[^1];

    /// <summary>The life that a GET shows; null once the last one has ended, or before the first began.</summary>
    public PodLife? At(DateTimeOffset now) => _lives.LastOrDefault(life => life.CreatedAt <= now && !(life.EndsAt <= now));

    public PodLife? Before(PodLife life)
    {
        var lives = _lives;
        var index = lives.IndexOf(life);
        return index > 0 ? lives[index - 1] : null;
    }

    // A new list, so that a reader can go on with the old one.
    public void Change(PodLife life, PodLife changed) => _lives = [.. _lives.Select(each => each == life ? changed : each)];

    /// <summary>Ends the life of that moment, and forgets those that have not begun.</summary>
    /// <returns>False when none has begun yet.</returns>
    public bool End(DateTimeOffset at, DateTimeOffset endsAt)
    {
        List<PodLife> begun = [.. _lives.Where(life => life.CreatedAt <= at)];
        if (begun.Count > 0 && !begun[^1].IsDeleted(at))
        {
            begun[^1] = begun[^1] with { DeletedAt = at, EndsAt = endsAt };
        }
        else if (begun.Count > 0 && endsAt < begun[^1].EndsAt)
        {
            // Its dead machine had kept it from ending.
            begun[^1] = begun[^1] with { EndsAt = endsAt };
        }

        _lives = begun.Count > 0 ? begun : _lives;
        return begun.Count > 0;
    }

    public void Begin(PodLife life) => _lives = [.. _lives.Append(life).TakeLast(LivesKept)];

    public SavedPod Save() => new(ns, name, owner, app, asked, _lives);

    public static SandboxPod Of(SavedPod saved) => new(
        saved.Namespace, saved.Name, saved.Owner, saved.App, saved.Asked, saved.Lives[0]) { _lives = [.. saved.Lives] };
}

internal sealed record SavedPod(string Namespace, string Name, PodOwner? Owner, string App, bool Asked, IReadOnlyList<PodLife> Lives);

internal sealed record PodOwner(string Kind, string Name, string Uid);

/// <summary>One pod object from its creation to its end. A replacement is another life with another UID.</summary>
internal sealed record PodLife(string Uid, DateTimeOffset CreatedAt, DateTimeOffset ReadyAt)
{
    /// <summary>Null while no node takes it.</summary>
    public string? Node { get; init; }

    public string Ip { get; init; } = "10.244.0.2";

    /// <summary>When it stopped answering and logging; null for a healthy one.</summary>
    public DateTimeOffset? HungAt { get; init; }

    /// <summary>When its deletion was requested. In the future where a rollout has not reached it yet.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>When it was gone; never, as long as its machine does not answer.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>When its workload was last restarted, as in the template.</summary>
    public string? RestartedAt { get; init; }

    /// <summary>How long its container runs before it is ready, like a server that loads its model.</summary>
    public TimeSpan LoadsFor { get; init; }

    [JsonIgnore]
    public DateTimeOffset StartedAt => ReadyAt - LoadsFor;

    public bool IsStarted(DateTimeOffset now) => now >= StartedAt;

    public bool IsReady(DateTimeOffset now) => now >= ReadyAt;

    public bool IsDeleted(DateTimeOffset now) => DeletedAt <= now;

    public bool IsHung(DateTimeOffset now) => HungAt <= now;
}

internal enum WorkloadKind { StatefulSet, Deployment, DaemonSet }

internal sealed record Workload(WorkloadKind Kind, string Namespace, string Name, string Uid)
{
    public required int Replicas { get; init; }

    public required string Container { get; init; }

    public required string Image { get; init; }

    public required bool UsesGpu { get; init; }

    /// <summary>All old pods end before the new ones begin, as where no GPU is spare.</summary>
    public bool Recreates { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public int Generation { get; init; } = 1;

    public string? RestartedAt { get; init; }

    /// <summary>The replica sets that a deployment has had, the present one last; empty for the other kinds.</summary>
    public IReadOnlyList<Revision> Revisions { get; init; } = [];

    [JsonIgnore]
    public string App => Name;

    [JsonIgnore]
    public bool ServesModel => Container is "vllm" or "tgi" or "triton";

    [JsonIgnore]
    public PodOwner Controller => Kind == WorkloadKind.Deployment ? Revisions[^1].Owner : new PodOwner(Kind.ToString(), Name, Uid);
}

internal sealed record Revision(int Number, string Hash, string Name, string Uid, DateTimeOffset CreatedAt, string? RestartedAt)
{
    [JsonIgnore]
    public PodOwner Owner => new("ReplicaSet", Name, Uid);
}

/// <summary>A machine of the cluster: an instance of a scale set, as AKS makes them.</summary>
internal sealed record SandboxNode(string Name, string ScaleSet, int Instance, int Gpus)
{
    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public const string Unreachable = "node.kubernetes.io/unreachable";

    /// <summary>The end of its boot, after it was created or installed again.</summary>
    public DateTimeOffset ReadyAt { get; init; }

    public string Uid { get; init; } = Guid.NewGuid().ToString();

    public string BootId { get; init; } = Guid.NewGuid().ToString();

    /// <summary>The boot that its record still shows while nobody has noticed that it went down.</summary>
    public FormerBoot? Former { get; init; }

    public bool Unschedulable { get; init; }

    public IReadOnlyList<NodeTaint> Taints { get; init; } = [];

    public IReadOnlyDictionary<string, string> MoreLabels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public GpuFault? Fault { get; init; }

    /// <summary>Its id in Azure, as in <c>spec.providerID</c>.</summary>
    [JsonIgnore]
    public string ResourceId =>
        "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/mc_rg-inference-b_aks-b_westeurope"
        + $"/providers/Microsoft.Compute/virtualMachineScaleSets/{ScaleSet}/virtualMachines/{Instance}";

    /// <summary>Its kubelet does not answer, as the node controller has noticed. Deleted pods on it do not end.</summary>
    [JsonIgnore]
    public bool IsAway => Taints.Any(taint => taint.Key == Unreachable);

    public SandboxNode Seen(DateTimeOffset now) =>
        Former is { } former && now < former.Until ? this with { BootId = former.Id, ReadyAt = former.ReadyAt, Fault = former.Fault } : this;

    public bool Takes(bool gpu, DateTimeOffset now) => Gpus > 0 == gpu && !Unschedulable && ReadyAt <= now
        && Taints.All(taint => taint.Effect == "PreferNoSchedule");
}

internal sealed record FormerBoot(string Id, DateTimeOffset ReadyAt, GpuFault? Fault, DateTimeOffset Until);

internal sealed record NodeTaint(string Key, string? Value, string Effect, DateTime? TimeAdded = null);

/// <param name="Xid">The code that the driver reported last.</param>
internal sealed record GpuFault(int Gpu, int Xid, DateTimeOffset Since)
{
    /// <summary>A GPU that has fallen off the bus.</summary>
    public static GpuFault Lost(DateTimeOffset since) => new(3, 79, since);
}
