using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Section <c>Kubernetes</c>.</summary>
public sealed class KubernetesOptions : IValidatableObject
{
    public const string SectionName = "Kubernetes";

    /// <summary>The cluster of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, ClusterOptions> Clusters { get; } = new Dictionary<string, ClusterOptions>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Clusters", Default, Clusters),
        .. Clusters.SelectMany(cluster => cluster.Value.Problems().Select(problem => new ValidationResult($"{SectionName}:Clusters:{cluster.Key} {problem}"))),
    ];
}

/// <summary>How one cluster is reached: exactly one of <see cref="ResourceId"/>, <see cref="KubeConfig"/>, <see cref="InCluster"/> and <see cref="Server"/>.</summary>
public sealed class ClusterOptions
{
    /// <summary>The resource id of an AKS cluster with Entra sign-in: Azure says where its API server is, and the app signs in with its identity.</summary>
    public string? ResourceId { get; set; }

    /// <summary>The path of a kubeconfig file.</summary>
    public string? KubeConfig { get; set; }

    /// <summary>The context in it; its current one when null.</summary>
    public string? Context { get; set; }

    /// <summary>This process runs in the cluster, as a service account.</summary>
    public bool InCluster { get; set; }

    /// <summary>The API server's URL.</summary>
    public string? Server { get; set; }

    /// <summary>A bearer token for <see cref="Server"/>.</summary>
    [Secret]
    public string? Token { get; set; }

    /// <summary>Sign in to <see cref="Server"/> with the app's identity in Azure instead: for AKS with Entra sign-in.</summary>
    public bool AzureIdentity { get; set; }

    /// <summary>The certificate authority of <see cref="Server"/>, PEM in base64 as kubeconfig files hold it.</summary>
    public string? CertificateAuthorityData { get; set; }

    internal IEnumerable<string> Problems()
    {
        if (new[] { ResourceId is not null, KubeConfig is not null, InCluster, Server is not null }.Count(given => given) != 1)
        {
            yield return "needs exactly one of ResourceId, KubeConfig, InCluster and Server.";
        }

        if (ResourceId is not null && !new ArmResourceIdAttribute("Microsoft.ContainerService/managedClusters").IsValid(ResourceId))
        {
            yield return "has a ResourceId that is not the id of an AKS cluster: /subscriptions/…/Microsoft.ContainerService/managedClusters/{name}.";
        }

        if (Server is null)
        {
            yield break;
        }

        if (!Uri.TryCreate(Server, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
        {
            yield return "has a Server that is not an absolute http or https URL.";
        }
        else if ((Token is not null || AzureIdentity) && server is { Scheme: "http", IsLoopback: false })
        {
            yield return "would send its token over plain http. Use https.";
        }

        if (Token is not null && AzureIdentity)
        {
            yield return "has both a Token and AzureIdentity. Choose one.";
        }
    }
}
