using System.Security.Cryptography;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <content>The start of the cluster, its controllers and its scheduler.</content>
internal sealed partial class SandboxCluster
{
    private const string GpuScaleSet = "aks-gpu-24815391-vmss";
    private const string SystemScaleSet = "aks-pool-17503362-vmss";

    private const int BrokenNode = 2;

    private static readonly string[] s_suffixes = ["x2x4v", "k9q7d"];

    private void Furnish()
    {
        var since = Now - s_age;
        _nodes =
        [
            .. Enumerable.Range(0, 3).Select(i => Node(GpuScaleSet, i, gpus: 8, since)),
            Node(SystemScaleSet, 0, gpus: 0, since),
        ];
        // The third GPU machine has lost a GPU: the driver says that it has fallen off the bus.
        _nodes[BrokenNode] = _nodes[BrokenNode] with { Fault = GpuFault.Lost(Now - s_hungFor) };
        _workloads =
        [
            Make(WorkloadKind.StatefulSet, Namespace, $"llm-{name}", 2, "vllm", "vllm/vllm-openai:v0.10.1", gpu: true, since),
            Make(WorkloadKind.Deployment, Namespace, "tokenizer", 1, "main", "practice/tokenizer:1", gpu: false, since, "7d9f8c6b5d"),
            Make(WorkloadKind.Deployment, "chat", "chat-vllm", 2, "vllm", "vllm/vllm-openai:v0.10.1", gpu: true, since, "5c47b8d6f9"),
            Make(
                WorkloadKind.Deployment,
                "search",
                "embedder",
                2,
                "vllm",
                "vllm/vllm-openai:v0.10.1",
                gpu: true,
                since,
                "6f7c9b4d88") with { Recreates = true },
            Make(
                WorkloadKind.Deployment,
                "lab",
                "summarizer",
                2,
                "tgi",
                "ghcr.io/huggingface/text-generation-inference:3.3.6",
                gpu: false,
                since,
                "6c9d7f5b84"),
            Make(WorkloadKind.Deployment, "lab", "ranker", 2, "triton", "nvcr.io/nvidia/tritonserver:25.08-py3", gpu: false, since, "5d8b6c7f94"),
            Make(
                WorkloadKind.DaemonSet,
                "gpu-operator",
                "dcgm-exporter",
                0,
                "exporter",
                "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless",
                gpu: false,
                since),
        ];
        foreach (var workload in _workloads)
        {
            switch (workload.Kind)
            {
                case WorkloadKind.StatefulSet:
                    Add(workload, $"{workload.Name}-0", Aged(workload, 0, hung: true));
                    Add(workload, $"{workload.Name}-1", Aged(workload, 1, hung: false));
                    break;
                case WorkloadKind.Deployment:
                    foreach (var (suffix, i) in s_suffixes.Take(workload.Replicas).Select((suffix, i) => (suffix, i)))
                    {
                        // One pod of the search model runs on the machine that lost a GPU.
                        Add(
                            workload,
                            $"{workload.Controller.Name}-{suffix}",
                            Aged(workload, workload.Name == "embedder" ? i + 1 : i, hung: workload.Namespace == "lab" && i == 0));
                    }

                    break;
                case WorkloadKind.DaemonSet:
                    foreach (var node in _nodes.Where(node => node.Gpus > 0))
                    {
                        Add(workload, $"{workload.Name}-{MadeUp(5)}", NewLife(workload, since, node.Name) with { ReadyAt = since });
                    }

                    break;
            }
        }

        _pods[Key(Namespace, "debug-shell")] = new SandboxPod(
            Namespace,
            "debug-shell",
            null,
            "debug",
            false,
            new PodLife(Guid.NewGuid().ToString(), since, since) { Node = $"{SystemScaleSet}000000", Ip = NextIp() });
        changes.Touch();
    }

    private static SandboxNode Node(string scaleSet, int instance, int gpus, DateTimeOffset since) =>
        new($"{scaleSet}{instance:000000}", scaleSet, instance, gpus) { CreatedAt = since, ChangedAt = since, ReadyAt = since };

    private static Workload Make(
        WorkloadKind kind,
        string ns,
        string workload,
        int replicas,
        string container,
        string image,
        bool gpu,
        DateTimeOffset since,
        string? hash = null) =>
        new(kind, ns, workload, Guid.NewGuid().ToString())
        {
            Replicas = replicas,
            Container = container,
            Image = image,
            UsesGpu = gpu,
            CreatedAt = since,
            ChangedAt = since,
            Revisions = hash is null ? [] : [new Revision(1, hash, $"{workload}-{hash}", Guid.NewGuid().ToString(), since, null)],
        };

    private Revision NewRevision(Workload workload, string restartedAt)
    {
        var hash = MadeUp(10);
        return new Revision(workload.Revisions[^1].Number + 1, hash, $"{workload.Name}-{hash}", Guid.NewGuid().ToString(), Now, restartedAt);
    }

    private void Reconcile()
    {
        foreach (var workload in _workloads)
        {
            var alive = _pods.Values
                .Where(pod => pod.Namespace == workload.Namespace && pod.App == workload.App && pod.Last.DeletedAt is null)
                .ToList();
            switch (workload.Kind)
            {
                case WorkloadKind.StatefulSet:
                    ReconcileSet(workload, alive);
                    break;
                case WorkloadKind.Deployment:
                    ReconcileDeployment(workload, alive);
                    break;
                case WorkloadKind.DaemonSet:
                    // It makes no other pod beside one that a dead machine keeps.
                    alive.AddRange(_pods.Values.Where(pod =>
                        pod.Namespace == workload.Namespace && pod.App == workload.App && pod.Last.EndsAt == DateTimeOffset.MaxValue));
                    foreach (var node in _nodes.Where(node => node.Gpus > 0 && !alive.Exists(pod => pod.Last.Node == node.Name)))
                    {
                        Add(workload, $"{workload.Name}-{MadeUp(5)}", NewLife(workload, Now, node.Name));
                    }

                    break;
            }
        }

        foreach (var pod in _pods.Values.Where(pod => pod.Last is { Node: null, DeletedAt: null }).ToList())
        {
            if (Place(WorkloadOf(pod)?.UsesGpu == true, 0) is { } node)
            {
                pod.Change(pod.Last, pod.Last with { Node = node, ReadyAt = Now + options.ReadyAfter });
            }
        }

        changes.Touch();
    }

    // Pods that somebody asked for by name count as wanted, so that scaling does not remove a pod that somebody works on.
    private void ReconcileSet(Workload set, List<SandboxPod> alive)
    {
        foreach (var pod in alive.Where(pod => !pod.Asked && Ordinal(pod) >= set.Replicas))
        {
            End(pod);
        }

        // One after the other, the last first: the next one goes when the one before is ready again.
        var turn = Now;
        foreach (var pod in alive
            .Where(pod => pod.Last.RestartedAt != set.RestartedAt && (pod.Asked || Ordinal(pod) < set.Replicas))
            .OrderByDescending(Ordinal))
        {
            if (turn == DateTimeOffset.MaxValue)
            {
                break;
            }

            End(pod, turn);
            if (pod.Last.EndsAt == DateTimeOffset.MaxValue)
            {
                break;
            }

            pod.Begin(NewLife(set, pod.Last.EndsAt ?? turn, Place(set.UsesGpu, Ordinal(pod))));
            turn = pod.Last.ReadyAt;
        }

        var gone = _pods.Values
            .Where(pod => pod.Namespace == set.Namespace
                && pod.App == set.App
                && pod.Last is { DeletedAt: not null } last
                && last.EndsAt != DateTimeOffset.MaxValue)
            .ToList();
        foreach (var pod in gone.Where(pod => pod.Asked || Ordinal(pod) < set.Replicas))
        {
            pod.Begin(NewLife(set, pod.Last.EndsAt ?? Now, Place(set.UsesGpu, Ordinal(pod))));
        }

        for (var ordinal = 0; ordinal < set.Replicas; ordinal++)
        {
            var podName = $"{set.Name}-{ordinal}";
            if (!_pods.ContainsKey(Key(set.Namespace, podName)))
            {
                Add(set, podName, NewLife(set, Now, Place(set.UsesGpu, ordinal)));
            }
        }
    }

    private void ReconcileDeployment(Workload deployment, List<SandboxPod> alive)
    {
        var wanted = alive.Where(pod => pod.Owner == deployment.Controller).OrderBy(pod => pod.Last.CreatedAt).ToList();
        var old = alive.Except(wanted).OrderBy(pod => pod.Last.CreatedAt).ToList();
        foreach (var pod in wanted.Skip(deployment.Replicas))
        {
            End(pod);
        }

        // During a rollout a quarter more than wanted may exist, and an old pod goes when a new one is ready.
        var surge = old.Count == 0 ? int.MaxValue : (deployment.Replicas + 3) / 4;
        var ready = wanted.Take(deployment.Replicas).Select(pod => pod.Last.ReadyAt).ToList();
        for (var i = wanted.Count; i < deployment.Replicas; i++)
        {
            var begins = Now + (old.Count > 0 && deployment.Recreates ? options.TerminatesAfter : options.ReadyAfter * ((i - wanted.Count) / surge));
            var life = NewLife(deployment, begins, Place(deployment.UsesGpu, i));
            Add(deployment, $"{deployment.Controller.Name}-{MadeUp(5)}", life);
            ready.Add(life.ReadyAt);
        }

        var turns = ready.Order().ToList();
        foreach (var (pod, i) in old.Select((pod, i) => (pod, i)))
        {
            var turn = !deployment.Recreates && i < turns.Count && turns[i] > Now ? turns[i] : Now;
            if (turn < DateTimeOffset.MaxValue)
            {
                End(pod, turn);
            }
        }
    }

    private void End(SandboxPod pod, DateTimeOffset? at = null)
    {
        var when = at ?? Now;
        var isAway = _nodes.Any(node => node.IsAway && node.Name == pod.At(when)?.Node);
        if (!pod.End(when, isAway ? DateTimeOffset.MaxValue : when + options.TerminatesAfter))
        {
            _pods.Remove(Key(pod.Namespace, pod.Name));
        }
    }

    private void Add(Workload workload, string podName, PodLife life, bool asked = false) =>
        _pods[Key(workload.Namespace, podName)] = new SandboxPod(workload.Namespace, podName, workload.Controller, workload.App, asked, life);

    // Before the first look every pod ran where it should.
    private PodLife Aged(Workload workload, int place, bool hung)
    {
        var pool = _nodes.Where(node => node.Gpus > 0 == workload.UsesGpu).ToList();
        // New pods are not placed on the broken machine.
        var node = workload.Name == "embedder" ? pool[place] : pool[place % Math.Max(1, pool.Count(one => one.Fault is null))];
        return NewLife(workload, Now - s_age, node.Name) with { HungAt = hung ? Now - s_hungFor : null };
    }

    private PodLife NewLife(Workload workload, DateTimeOffset createdAt, string? node) =>
        new(Guid.NewGuid().ToString(), createdAt, node is null ? DateTimeOffset.MaxValue : createdAt + options.ReadyAfter)
        {
            Node = node,
            Ip = NextIp(),
            RestartedAt = workload.RestartedAt,
            LoadsFor = workload.ServesModel ? options.ReadyAfter * 0.75 : TimeSpan.Zero,
        };

    private string? Place(bool gpu, int index)
    {
        var free = _nodes.Where(node => node.Takes(gpu, Now) && node.Fault is null).ToList();
        free = free.Count > 0 ? free : [.. _nodes.Where(node => node.Takes(gpu, Now))];
        return free.Count == 0 ? null : free[index % free.Count].Name;
    }

    private string NextIp() => $"10.244.{(++_ips / 250) % 250}.{2 + (_ips % 250)}";

    private static int Ordinal(SandboxPod pod) => int.Parse(pod.Name[(pod.Name.LastIndexOf('-') + 1)..], CultureInfo.InvariantCulture);

    /// <summary>As Kubernetes makes the ends of names.</summary>
    private static string MadeUp(int length) => RandomNumberGenerator.GetString("bcdfghjklmnpqrstvwxz2456789", length);
}
