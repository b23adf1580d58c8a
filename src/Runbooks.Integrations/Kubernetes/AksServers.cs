using System.Text;
using Azure.Core;
using k8s;
using k8s.KubeConfigModels;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Asks Azure where the API servers of AKS clusters are.</summary>
/// <seealso href="https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials"/>
internal sealed class AksServers(ArmResources arm)
{
    private const string Version = "2025-10-01";
    private const string Role = "Azure Kubernetes Service Cluster User Role";

    public static ArmTarget Target(string resourceId) => new(resourceId, Version, Role);

    /// <exception cref="AzureCallException">Azure did not answer, or not with a kubeconfig.</exception>
    /// <exception cref="StepRefusedException">The role is missing.</exception>
    public async Task<AksServer> ReadAsync(string resourceId, TimeProvider time, CancellationToken cancellationToken)
    {
        var cluster = Target(resourceId);
        var answer = await arm.SendAsync(arm.Call(cluster, RequestMethod.Post, "get its credentials", below: "/listClusterUserCredential"), time, cancellationToken);
        try
        {
            var file = ArmResources.ReadObject(cluster, answer.Body)["kubeconfigs"]![0]!["value"]!.GetValue<string>();
            return Read(KubernetesYaml.Deserialize<K8SConfiguration>(Encoding.UTF8.GetString(Convert.FromBase64String(file))))
                ?? throw new FormatException("It names no API server that may be sent a token.");
        }
        catch (Exception odd) when (odd is FormatException or NullReferenceException or InvalidOperationException or ArgumentOutOfRangeException or YamlDotNet.Core.YamlException)
        {
            throw new AzureCallException($"The credentials of {cluster.Words} are not a kubeconfig that can be used: {odd.Message}", inner: odd);
        }
    }

    // Only the address is taken: whoever signs in is the app's identity, and a program that the file names never runs.
    private static AksServer? Read(K8SConfiguration file) =>
        file.Clusters?.FirstOrDefault()?.ClusterEndpoint is { Server: { } server } endpoint
        && Uri.TryCreate(server, UriKind.Absolute, out var url)
        && url is { Scheme: "https" } or { Scheme: "http", IsLoopback: true }
            ? new AksServer(server, endpoint.CertificateAuthorityData)
            : null;
}

/// <param name="CertificateAuthorityData">PEM in base64; null for one that the system trusts.</param>
internal sealed record AksServer(string Url, string? CertificateAuthorityData);
