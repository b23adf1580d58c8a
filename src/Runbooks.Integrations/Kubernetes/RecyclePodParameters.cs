using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Kubernetes;

public sealed record RecyclePodParameters
{
    [MaxLength(100)]
    [Description("The configured cluster; the default one when left out.")]
    public string? Cluster { get; init; }

    [Required, KubernetesName]
    [Description("The pod's namespace.")]
    public required string Namespace { get; init; }

    [Required, KubernetesName(Subdomain = true)]
    [Description("The pod to recycle.")]
    public required string Pod { get; init; }

    [KubernetesName]
    [Description("The container whose logs are kept; the pod's default one when left out.")]
    public string? Container { get; init; }

    [Description("Keep the last logs as evidence before the pod goes.")]
    public bool KeepLogs { get; init; } = true;

    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    [Description("How long the pod may take to stop; its own grace period when left out.")]
    public TimeSpan? Grace { get; init; }

    [Description("What to do when a disruption budget forbids the eviction: refuse, or delete the pod all the same.")]
    public OnBudget OnBudget { get; init; } = OnBudget.Refuse;
}

public enum OnBudget { Refuse, Delete }
