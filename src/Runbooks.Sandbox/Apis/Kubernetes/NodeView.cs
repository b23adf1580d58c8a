namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <seealso href="https://learn.microsoft.com/azure/aks/node-problem-detector"/>
internal static class NodeView
{
    private const string UnschedulableTaint = "node.kubernetes.io/unschedulable";

    public static V1Node Of(SandboxNode node, DateTimeOffset now) => Shown(node.Seen(now), now);

    private static V1Node Shown(SandboxNode node, DateTimeOffset now) => new()
    {
        ApiVersion = "v1",
        Kind = "Node",
        Metadata = new V1ObjectMeta
        {
            Name = node.Name,
            Uid = node.Uid,
            ResourceVersion = PodView.Version(now, node.ChangedAt, node.Former?.Until, node.ReadyAt),
            CreationTimestamp = node.CreatedAt.UtcDateTime,
            Labels = Labels(node),
            Annotations = node.Annotations.Count == 0 ? null : new Dictionary<string, string>(node.Annotations),
        },
        Spec = new V1NodeSpec
        {
            ProviderID = "azure://" + node.ResourceId,
            Unschedulable = node.Unschedulable ? true : null,
            Taints = Taints(node) is { Count: > 0 } taints ? taints : null,
        },
        Status = new V1NodeStatus
        {
            Addresses =
            [
                new V1NodeAddress { Type = "InternalIP", Address = $"10.224.0.{4 + node.Instance + (node.Gpus > 0 ? 10 : 0)}" },
                new V1NodeAddress { Type = "Hostname", Address = node.Name },
            ],
            Capacity = Resources(node, node.Gpus),
            // The device plugin removes a GPU that has fallen off the bus.
            Allocatable = Resources(node, node.Gpus - (node.Fault is null ? 0 : 1)),
            Conditions = [.. Conditions(node, now)],
            NodeInfo = new V1NodeSystemInfo
            {
                KubeletVersion = "v1.33.0-practice",
                OsImage = "Ubuntu 22.04.5 LTS",
                KernelVersion = "5.15.0-1089-azure",
                ContainerRuntimeVersion = "containerd://1.7.27-1",
                OperatingSystem = "linux",
                Architecture = "amd64",
                MachineID = node.Uid,
                SystemUUID = node.Uid,
                BootID = node.BootId,
                KubeProxyVersion = "v1.33.0-practice",
            },
        },
    };

    private static List<V1Taint> Taints(SandboxNode node) =>
    [
        .. node.Taints.Select(taint => new V1Taint { Key = taint.Key, Value = taint.Value, Effect = taint.Effect, TimeAdded = taint.TimeAdded }),
        .. node.Unschedulable ? new[] { new V1Taint { Key = UnschedulableTaint, Effect = "NoSchedule" } } : [],
    ];

    /// <summary>Takes over a change of the object, but not of the controller's own taint.</summary>
    public static SandboxNode Apply(SandboxNode node, V1Node changed) => node with
    {
        Unschedulable = changed.Spec?.Unschedulable == true,
        Taints =
        [
            .. (changed.Spec?.Taints ?? [])
                .Where(taint => taint.Key != UnschedulableTaint)
                .Select(taint => new NodeTaint(taint.Key, taint.Value, taint.Effect, taint.TimeAdded)),
        ],
        MoreLabels = (changed.Metadata.Labels ?? new Dictionary<string, string>())
            .Except(Labels(node with { MoreLabels = new Dictionary<string, string>() }))
            .ToDictionary(),
        Annotations = (changed.Metadata.Annotations ?? new Dictionary<string, string>()).ToDictionary(),
    };

    private static Dictionary<string, string> Labels(SandboxNode node)
    {
        var gpu = node.Gpus > 0;
        var labels = new Dictionary<string, string>
        {
            ["kubernetes.io/hostname"] = node.Name,
            ["kubernetes.io/os"] = "linux",
            ["kubernetes.io/arch"] = "amd64",
            ["agentpool"] = gpu ? "gpu" : "pool",
            ["kubernetes.azure.com/agentpool"] = gpu ? "gpu" : "pool",
            ["node.kubernetes.io/instance-type"] = gpu ? "Standard_ND96amsr_A100_v4" : "Standard_D4ds_v5",
            ["topology.kubernetes.io/region"] = "westeurope",
        };
        if (gpu)
        {
            labels["nvidia.com/gpu.present"] = "true";
        }

        foreach (var (key, value) in node.MoreLabels)
        {
            labels[key] = value;
        }

        return labels;
    }

    private static Dictionary<string, ResourceQuantity> Resources(SandboxNode node, int gpus)
    {
        var resources = new Dictionary<string, ResourceQuantity>
        {
            ["cpu"] = new(node.Gpus > 0 ? "96" : "4"),
            ["memory"] = new(node.Gpus > 0 ? "1900Gi" : "16Gi"),
            ["pods"] = new("110"),
        };
        if (node.Gpus > 0)
        {
            resources["nvidia.com/gpu"] = new(gpus.ToString(CultureInfo.InvariantCulture));
        }

        return resources;
    }

    private static IEnumerable<V1NodeCondition> Conditions(SandboxNode node, DateTimeOffset now)
    {
        V1NodeCondition Condition(string type, bool holds, string reason, string message, DateTimeOffset since) => new()
        {
            Type = type,
            Status = holds ? "True" : "False",
            Reason = reason,
            Message = message,
            LastTransitionTime = since.UtcDateTime,
            LastHeartbeatTime = (node.IsAway ? node.ChangedAt : now).UtcDateTime,
        };

        if (node.Gpus > 0)
        {
            yield return node.Fault is { } lost
                ? Condition("GPUMissing", true, "GPUMissing", $"Failed: expected {node.Gpus} GPUs, found {node.Gpus - 1}", lost.Since)
                : Condition("GPUMissing", false, "NoGPUMissing", "All GPUs are present", node.ReadyAt);
            yield return node.Fault is { } fault
                ? Condition("XIDErrors", true, "XIDErrors", $"Xid {fault.Xid} in the kernel log", fault.Since)
                : Condition("XIDErrors", false, "NoXIDErrors", "No XID errors in the kernel log", node.ReadyAt);
            yield return Condition("NVLinkStatusInactive", false, "NVLinkStatusActive", "All NVLinks are active", node.ReadyAt);
        }

        if (node.IsAway)
        {
            // When the kubelet is silent, the node controller sets its conditions to Unknown.
            foreach (var type in (string[])["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"])
            {
                yield return new()
                {
                    Type = type,
                    Status = "Unknown",
                    Reason = "NodeStatusUnknown",
                    Message = "Kubelet stopped posting node status.",
                    LastTransitionTime = node.ChangedAt.UtcDateTime,
                    LastHeartbeatTime = node.ChangedAt.UtcDateTime,
                };
            }

            yield break;
        }

        yield return Condition("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available", node.ReadyAt);
        yield return Condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure", node.ReadyAt);
        yield return Condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available", node.ReadyAt);
        yield return node.ReadyAt <= now ? Condition("Ready", true, "KubeletReady", "kubelet is posting ready status", node.ReadyAt)
            : Condition("Ready", false, "KubeletNotReady", "container runtime is starting", node.ChangedAt);
    }
}
