using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Kubernetes;

public sealed record PodCheckParameters
{
    [MaxLength(100)]
    [Description("The configured cluster; the default one when left out.")]
    public string? Cluster { get; init; }

    [Required, KubernetesName]
    [Description("The pod's namespace.")]
    public required string Namespace { get; init; }

    [Required, KubernetesName(Subdomain = true)]
    [Description("The pod.")]
    public required string Pod { get; init; }

    [KubernetesName]
    [Description("The container whose log is looked at; the pod's default one when left out.")]
    public string? Container { get; init; }

    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    [Description("A pod that has logged nothing for this long counts as hung although it is ready; 0 to not look at its log.")]
    public TimeSpan QuietFor { get; init; } = TimeSpan.FromMinutes(5);
}
