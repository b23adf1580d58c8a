using System.Globalization;
using k8s;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <param name="Wide">Shown by <c>-o wide</c> only.</param>
internal sealed record TableColumn(string Name, Func<object, DateTimeOffset, object?> Cell, bool Wide = false);

/// <summary>Lists as the API server prints them for <c>kubectl get</c>.</summary>
/// <seealso href="https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables"/>
internal static class Tables
{
    public static readonly TableColumn[] Names = [Name(), Age()];

    public static readonly TableColumn[] Pods =
    [
        Name(),
        Of<V1Pod>("Ready", pod => $"{pod.Status.ContainerStatuses?.Count(status => status.Ready) ?? 0}/{pod.Spec.Containers.Count}"),
        Of<V1Pod>("Status", pod => pod.Metadata.DeletionTimestamp is not null ? "Terminating" : pod.Status.ContainerStatuses?.Select(status => status.State.Waiting?.Reason).FirstOrDefault(reason => reason is not null) ?? pod.Status.Phase),
        Of<V1Pod>("Restarts", pod => pod.Status.ContainerStatuses?.Sum(status => status.RestartCount) ?? 0),
        Age(),
        Of<V1Pod>("IP", pod => pod.Status.PodIP ?? "<none>", wide: true),
        Of<V1Pod>("Node", pod => pod.Spec.NodeName ?? "<none>", wide: true),
    ];

    public static readonly TableColumn[] Nodes =
    [
        Name(),
        Of<V1Node>("Status", node => (node.Status.Conditions.Any(condition => condition is { Type: "Ready", Status: "True" }) ? "Ready" : "NotReady") + (node.Spec.Unschedulable == true ? ",SchedulingDisabled" : "")),
        Of<V1Node>("Roles", _ => "<none>"),
        Age(),
        Of<V1Node>("Version", node => node.Status.NodeInfo.KubeletVersion),
        Of<V1Node>("Internal-IP", node => node.Status.Addresses[0].Address, wide: true),
        Of<V1Node>("OS-Image", node => node.Status.NodeInfo.OsImage, wide: true),
    ];

    public static readonly TableColumn[] Events =
    [
        new("Last Seen", (item, now) => Duration(now - ((Corev1Event)item).LastTimestamp)),
        Of<Corev1Event>("Type", each => each.Type),
        Of<Corev1Event>("Reason", each => each.Reason),
        Of<Corev1Event>("Object", each => $"{each.InvolvedObject.Kind.ToLowerInvariant()}/{each.InvolvedObject.Name}"),
        Of<Corev1Event>("Message", each => each.Message),
    ];

    public static readonly TableColumn[] Namespaces = [Name(), Of<V1Namespace>("Status", ns => ns.Status.Phase), Age()];

    public static readonly TableColumn[] Deployments =
    [
        Name(),
        Of<V1Deployment>("Ready", one => $"{one.Status.ReadyReplicas ?? 0}/{one.Spec.Replicas ?? 0}"),
        Of<V1Deployment>("Up-to-date", one => one.Status.UpdatedReplicas ?? 0),
        Of<V1Deployment>("Available", one => one.Status.AvailableReplicas ?? 0),
        Age(),
    ];

    public static readonly TableColumn[] ReplicaSets =
    [
        Name(),
        Of<V1ReplicaSet>("Desired", one => one.Spec.Replicas ?? 0),
        Of<V1ReplicaSet>("Current", one => one.Status.Replicas),
        Of<V1ReplicaSet>("Ready", one => one.Status.ReadyReplicas ?? 0),
        Age(),
    ];

    // The columns that the custom resource's definition names; then there is no age.
    public static readonly TableColumn[] AiGatewayRoutes = [Name(), Of<AiGatewayRouteObject>("Status", one => (string?)one.Status?["conditions"]?.AsArray().LastOrDefault()?["type"] ?? "")];

    public static readonly TableColumn[] StatefulSets =
        [Name(), Of<V1StatefulSet>("Ready", one => $"{one.Status.ReadyReplicas ?? 0}/{one.Spec.Replicas ?? 0}"), Age()];

    public static readonly TableColumn[] DaemonSets =
    [
        Name(),
        Of<V1DaemonSet>("Desired", one => one.Status.DesiredNumberScheduled),
        Of<V1DaemonSet>("Current", one => one.Status.CurrentNumberScheduled),
        Of<V1DaemonSet>("Ready", one => one.Status.NumberReady),
        Age(),
    ];

    public static bool IsWanted(HttpRequest request) => request.Headers.Accept.ToString().Contains("as=Table", StringComparison.Ordinal);

    public static object Of(ResourceType type, IEnumerable<IKubernetesObject<V1ObjectMeta>> items, DateTimeOffset now, V1ListMeta metadata) => new
    {
        kind = "Table",
        apiVersion = "meta.k8s.io/v1",
        metadata,
        columnDefinitions = type.Columns.Select(column => new
        {
            name = column.Name,
            type = "string",
            format = column.Name == "Name" ? "name" : "",
            description = column.Name,
            priority = column.Wide ? 1 : 0,
        }),
        rows = items.Select(item => new
        {
            cells = type.Columns.Select(column => column.Cell(item, now)),
            @object = new { kind = "PartialObjectMetadata", apiVersion = "meta.k8s.io/v1", metadata = item.Metadata },
        }),
    };

    private static TableColumn Name() => new("Name", (item, _) => ((IKubernetesObject<V1ObjectMeta>)item).Metadata.Name);

    private static TableColumn Age() => new("Age", (item, now) => Duration(now - ((IKubernetesObject<V1ObjectMeta>)item).Metadata.CreationTimestamp));

    private static TableColumn Of<T>(string name, Func<T, object?> cell, bool wide = false) => new(name, (item, _) => cell((T)item), wide);

    /// <summary>As kubectl writes ages: <c>6d</c>, <c>5h12m</c>, <c>90s</c>.</summary>
    private static string Duration(TimeSpan? time) => time switch
    {
        null => "<unknown>",
        { TotalMinutes: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)time.Value.TotalSeconds)}s"),
        { TotalHours: < 3 } => string.Create(CultureInfo.InvariantCulture, $"{(int)time.Value.TotalMinutes}m"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{(int)time.Value.TotalHours}h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.Value.TotalDays}d"),
    };
}
