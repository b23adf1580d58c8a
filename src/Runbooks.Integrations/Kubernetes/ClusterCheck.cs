namespace Runbooks.Integrations.Kubernetes;

/// <summary>A question to a cluster. If it cannot be reached or does not let this identity look, the result is unknown.</summary>
internal abstract class ClusterCheck<TParameters>(string name, string summary) : Check<TParameters>(name, summary)
    where TParameters : ClusterParameters
{
    protected abstract Task<CheckResult> MeasureAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    protected sealed override async Task<CheckResult> AskAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await MeasureAsync(parameters, context, cancellationToken);
        }
        catch (Exception failed) when (failed is ClusterException or StepRefusedException)
        {
            return CheckResult.Unknown(failed.Message);
        }
    }
}

public abstract record ClusterParameters
{
    [MaxLength(100)]
    [Description("The configured cluster, by its name there or its name in AKS; the default one when left out.")]
    public string? Cluster { get; init; }
}

/// <seealso href="https://learn.microsoft.com/azure/aks/node-problem-detector"/>
internal sealed class NodeCheck(Clusters clusters)
    : ClusterCheck<NodeCheckParameters>(
        "kubernetes.node",
        "Looks whether a node is ready and was heard from lately (its lease within 2 minutes, or its status within 10), "
            + "has none of the conditions that mean trouble, and can use all its GPUs. "
            + "Maintenance that Azure has announced is told, and is no trouble yet.")
{
    /// <summary>Three times the 40 seconds that a lease lasts.</summary>
    private static readonly TimeSpan s_longestLease = TimeSpan.FromMinutes(2);

    /// <summary>Two reports of an unchanged status.</summary>
    private static readonly TimeSpan s_longestHeartbeat = TimeSpan.FromMinutes(10);

    public override string Role =>
        "Microsoft.ContainerService/managedClusters/nodes/read and …/coordination.k8s.io/leases/read in a role of your own (Azure "
            + "Kubernetes Service RBAC Reader has neither), or a Kubernetes cluster role with: "
            + "get nodes, and get leases in kube-node-lease to know within seconds that the node is alive";

    protected override async Task<CheckResult> MeasureAsync(
        NodeCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster, Role);
        if (await nodes.FindAsync(parameters.Node, cancellationToken) is not { } node)
        {
            return CheckResult.Failing(nodes.Missing(parameters.Node));
        }

        var signs = new NodeSigns(node);
        var result = await JudgeAsync(nodes, signs, parameters, context.Time, cancellationToken);
        return result with { Link = nodes.Link };
    }

    private static async Task<CheckResult> JudgeAsync(
        ClusterNodes nodes, NodeSigns signs, NodeCheckParameters parameters, TimeProvider time, CancellationToken cancellationToken)
    {
        if (signs.Troubles is { Count: > 0 } troubles)
        {
            var cordoned = signs.IsCordoned ? "; cordoned" : "";
            var announced = signs.Announced is { } coming ? $"; {coming}" : "";
            return CheckResult.Failing($"{parameters.Node}: {string.Join("; ", troubles)}{cordoned}{announced}.");
        }

        return await SilenceAsync(nodes, signs, parameters, time, cancellationToken) is { } silence
            ? CheckResult.Unknown($"{parameters.Node}: {signs.Text}, but {silence}, so how it is now is not known.")
            : CheckResult.Passing($"{parameters.Node}: {signs.Text}.");
    }

    /// <summary>
    /// A kubelet renews its lease every few seconds, and repeats an unchanged status only every five minutes. So the lease shows
    /// whether the node is alive; where the lease cannot be read, the condition's heartbeat does.
    /// </summary>
    /// <seealso href="https://kubernetes.io/docs/reference/node/node-status/#heartbeats"/>
    private static async Task<string?> SilenceAsync(
        ClusterNodes nodes, NodeSigns signs, NodeCheckParameters parameters, TimeProvider time, CancellationToken cancellationToken)
    {
        var renewed = await nodes.LeaseRenewedAsync(parameters.Node, cancellationToken);
        if ((renewed ?? signs.Heartbeat) is not { } heard)
        {
            return "it does not say when it was heard from last";
        }

        var silent = time.GetUtcNow() - heard;
        var longest = renewed is null ? s_longestHeartbeat : s_longestLease;
        return silent > longest ? $"its kubelet was heard from last {Measurement.Age(silent)} ago" : null;
    }
}

public sealed record NodeCheckParameters : NodeParameters;

internal sealed class DeploymentCheck(Clusters clusters)
    : ClusterCheck<DeploymentCheckParameters>(
        "kubernetes.deployment", "Looks whether all pods of a deployment are ready and of its present version.")
{
    public override string Role => "Azure Kubernetes Service RBAC Reader, or a Kubernetes role with: get deployments";

    protected override async Task<CheckResult> MeasureAsync(
        DeploymentCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var deployments = clusters.Deployments(parameters.Cluster, Role);
        if (await deployments.FindAsync(parameters.Namespace, parameters.Deployment, cancellationToken) is not { } deployment)
        {
            return CheckResult.Failing(deployments.Missing(parameters.Namespace, parameters.Deployment));
        }

        var signs = new DeploymentSigns(deployment);
        var healthy = signs.IsRolledOut && signs.Stuck is null;
        // With 0 pods wanted, all of them being ready means nothing.
        var (verdict, words) = signs.Wanted > 0 ? (healthy ? Verdict.Passing : Verdict.Failing, signs.Text) : parameters.WhenEmpty switch
        {
            WhenEmpty.Passing => (Verdict.Passing, "scaled to 0 pods, which counts as healthy here"),
            WhenEmpty.Failing => (Verdict.Failing, "scaled to 0 pods, which counts as failing here"),
            _ => (Verdict.Unknown, "scaled to 0 pods, so there is none to look at"),
        };
        return new CheckResult(verdict, $"{parameters.Deployment}: {words}{(signs.Stuck is { } stuck ? $"; {stuck}" : "")}.")
        {
            Value = signs.Ready.ToString(CultureInfo.InvariantCulture),
            Threshold = $"< {signs.Wanted.ToString(CultureInfo.InvariantCulture)}",
            Unit = "pods",
            Link = deployments.Link,
        };
    }
}

public sealed record DeploymentCheckParameters : DeploymentParameters
{
    [Description("The verdict when it is scaled to 0 pods.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}
