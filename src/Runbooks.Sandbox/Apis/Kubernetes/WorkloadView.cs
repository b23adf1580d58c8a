namespace Runbooks.Sandbox.Apis.Kubernetes;

internal static class WorkloadView
{
    public const string RestartedAt = "kubectl.kubernetes.io/restartedAt";
    private const string RevisionKey = "deployment.kubernetes.io/revision";

    public static V1Deployment Deployment(SandboxCluster cluster, Workload workload, DateTimeOffset now)
    {
        var pods = Pods(cluster, workload, now);
        var updated = pods.Count(pod => pod.Pod.Owner == workload.Controller && !pod.Life.IsDeleted(now));
        var ready = pods.Count(pod => pod.Ready);
        return new()
        {
            ApiVersion = "apps/v1",
            Kind = "Deployment",
            Metadata = Metadata(
                cluster,
                workload,
                now,
                annotations: new Dictionary<string, string> { [RevisionKey] = Text(workload.Revisions[^1].Number) }),
            Spec = new V1DeploymentSpec
            {
                Replicas = workload.Replicas,
                Selector = Selector(workload),
                Strategy = workload.Recreates
                    ? new V1DeploymentStrategy { Type = "Recreate" }
                    : new V1DeploymentStrategy
                    {
                        Type = "RollingUpdate",
                        RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = "25%", MaxUnavailable = "25%" },
                    },
                Template = Template(workload, workload.RestartedAt),
            },
            Status = new V1DeploymentStatus
            {
                ObservedGeneration = workload.Generation,
                Replicas = pods.Count,
                UpdatedReplicas = updated,
                ReadyReplicas = ready,
                AvailableReplicas = ready,
                UnavailableReplicas = Math.Max(0, workload.Replicas - ready) is > 0 and var missing ? missing : null,
                Conditions =
                [
                    new V1DeploymentCondition
                    {
                        Type = "Available",
                        Status = ready >= workload.Replicas ? "True" : "False",
                        Reason = ready >= workload.Replicas ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                        Message = ready >= workload.Replicas
                            ? "Deployment has minimum availability."
                            : "Deployment does not have minimum availability.",
                    },
                    new V1DeploymentCondition
                    {
                        Type = "Progressing",
                        Status = "True",
                        Reason = "NewReplicaSetAvailable",
                        Message = $"ReplicaSet \"{workload.Controller.Name}\" has successfully progressed.",
                    },
                ],
            },
        };
    }

    public static IEnumerable<V1ReplicaSet> ReplicaSets(SandboxCluster cluster, Workload workload, DateTimeOffset now) =>
        workload.Revisions.Select(revision =>
    {
        var pods = Pods(cluster, workload, now).Where(pod => pod.Pod.Owner == revision.Owner && !pod.Life.IsDeleted(now)).ToList();
        var template = Template(workload, revision.RestartedAt);
        template.Metadata.Labels["pod-template-hash"] = revision.Hash;
        return new V1ReplicaSet
        {
            ApiVersion = "apps/v1",
            Kind = "ReplicaSet",
            Metadata = new V1ObjectMeta
            {
                Name = revision.Name,
                NamespaceProperty = workload.Namespace,
                Uid = revision.Uid,
                CreationTimestamp = revision.CreatedAt.UtcDateTime,
                ResourceVersion = Version(cluster, workload, now),
                Labels = template.Metadata.Labels,
                Annotations = new Dictionary<string, string> { [RevisionKey] = Text(revision.Number) },
                OwnerReferences =
                [
                    new V1OwnerReference
                    {
                        ApiVersion = "apps/v1",
                        Kind = "Deployment",
                        Name = workload.Name,
                        Uid = workload.Uid,
                        Controller = true,
                        BlockOwnerDeletion = true,
                    },
                ],
            },
            Spec = new V1ReplicaSetSpec
            {
                Replicas = revision == workload.Revisions[^1] ? workload.Replicas : 0,
                Selector = Selector(workload),
                Template = template,
            },
            Status = new V1ReplicaSetStatus
            {
                Replicas = pods.Count,
                ReadyReplicas = pods.Count(pod => pod.Ready),
                AvailableReplicas = pods.Count(pod => pod.Ready),
                ObservedGeneration = 1,
            },
        };
    });

    public static V1StatefulSet StatefulSet(SandboxCluster cluster, Workload workload, DateTimeOffset now)
    {
        var pods = Pods(cluster, workload, now);
        var ready = pods.Count(pod => pod.Ready);
        return new()
        {
            ApiVersion = "apps/v1",
            Kind = "StatefulSet",
            Metadata = Metadata(cluster, workload, now),
            Spec = new V1StatefulSetSpec
            {
                Replicas = workload.Replicas,
                ServiceName = workload.Name,
                Selector = Selector(workload),
                Template = Template(workload, workload.RestartedAt),
                UpdateStrategy = new V1StatefulSetUpdateStrategy { Type = "RollingUpdate" },
            },
            Status = new V1StatefulSetStatus
            {
                ObservedGeneration = workload.Generation,
                Replicas = pods.Count,
                ReadyReplicas = ready,
                AvailableReplicas = ready,
                CurrentReplicas = pods.Count,
                UpdatedReplicas = pods.Count(pod => pod.Life.RestartedAt == workload.RestartedAt),
                CurrentRevision = "1",
                UpdateRevision = "1",
            },
        };
    }

    public static V1DaemonSet DaemonSet(SandboxCluster cluster, Workload workload, DateTimeOffset now)
    {
        var pods = Pods(cluster, workload, now);
        return new()
        {
            ApiVersion = "apps/v1",
            Kind = "DaemonSet",
            Metadata = Metadata(cluster, workload, now),
            Spec = new V1DaemonSetSpec { Selector = Selector(workload), Template = Template(workload, workload.RestartedAt) },
            Status = new V1DaemonSetStatus
            {
                ObservedGeneration = workload.Generation,
                DesiredNumberScheduled = cluster.Nodes().Count(node => node.Gpus > 0),
                CurrentNumberScheduled = pods.Count,
                NumberReady = pods.Count(pod => pod.Ready),
                NumberAvailable = pods.Count(pod => pod.Ready),
                UpdatedNumberScheduled = pods.Count,
                NumberMisscheduled = 0,
            },
        };
    }

    public static V1Scale Scale(SandboxCluster cluster, Workload workload, DateTimeOffset now) => new()
    {
        ApiVersion = "autoscaling/v1",
        Kind = "Scale",
        Metadata = new V1ObjectMeta
        {
            Name = workload.Name,
            NamespaceProperty = workload.Namespace,
            Uid = workload.Uid,
            ResourceVersion = Version(cluster, workload, now),
            CreationTimestamp = workload.CreatedAt.UtcDateTime,
        },
        Spec = new V1ScaleSpec { Replicas = workload.Replicas },
        Status = new V1ScaleStatus { Replicas = Pods(cluster, workload, now).Count, Selector = $"app={workload.App}" },
    };

    public static string Version(SandboxCluster cluster, Workload workload, DateTimeOffset now) => PodView.Version(
        now,
        cluster.PodsEver().Where(pod => pod.Namespace == workload.Namespace && pod.App == workload.App)
            .SelectMany(pod => pod.Lives).SelectMany(life => new[]
            {
                life.CreatedAt,
                life.ReadyAt,
                life.DeletedAt,
                life.EndsAt,
            }).Append(workload.ChangedAt));

    private static List<(SandboxPod Pod, PodLife Life, bool Ready)> Pods(SandboxCluster cluster, Workload workload, DateTimeOffset now) =>
    [
        .. from pod in cluster.Pods()
           where pod.Namespace == workload.Namespace && pod.App == workload.App && pod.Owner?.Kind is not null
           let life = pod.At(now)
           where life is not null
           select (pod, life, life.IsReady(now) && !life.IsDeleted(now)),
    ];

    private static V1ObjectMeta Metadata(
        SandboxCluster cluster, Workload workload, DateTimeOffset now, Dictionary<string, string>? annotations = null) => new()
    {
        Name = workload.Name,
        NamespaceProperty = workload.Namespace,
        Uid = workload.Uid,
        Generation = workload.Generation,
        ResourceVersion = Version(cluster, workload, now),
        CreationTimestamp = workload.CreatedAt.UtcDateTime,
        Labels = new Dictionary<string, string> { ["app"] = workload.App },
        Annotations = annotations,
    };

    private static V1LabelSelector Selector(Workload workload) => new() { MatchLabels = new Dictionary<string, string> { ["app"] = workload.App } };

    private static V1PodTemplateSpec Template(Workload workload, string? restartedAt) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Labels = new Dictionary<string, string> { ["app"] = workload.App },
            Annotations = restartedAt is null ? null : new Dictionary<string, string> { [RestartedAt] = restartedAt },
        },
        Spec = new V1PodSpec { Containers = [PodView.ContainerSpec(workload)], RestartPolicy = "Always" },
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
