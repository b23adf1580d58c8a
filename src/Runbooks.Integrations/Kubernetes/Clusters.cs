using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using k8s;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>The configured clusters, each with one connection that is made when it is first needed.</summary>
internal sealed class Clusters(
    IOptions<KubernetesOptions> options, IOptions<OutboundHttpOptions> http, TokenCredential identity, AksServers aks, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<IClusterConnection>> _connections = new(StringComparer.Ordinal);

    /// <exception cref="ClusterException">There is no such cluster, or its configuration cannot be used.</exception>
    /// <param name="role">What whoever may not do something is told to have; what suffices for pods alone when left out.</param>
    public ClusterPods Pods(string? name, string role = ClusterPods.Role)
    {
        var (connection, known, link) = Find(name);
        return new ClusterPods(new ClusterCalls(connection, known, role), link);
    }

    /// <inheritdoc cref="Pods"/>
    public ClusterNodes Nodes(string? name)
    {
        var (connection, known, link) = Find(name);
        return new ClusterNodes(new ClusterCalls(connection, known, ClusterNodes.Role), link);
    }

    /// <inheritdoc cref="Pods"/>
    public ClusterDeployments Deployments(string? name)
    {
        var (connection, known, link) = Find(name);
        return new ClusterDeployments(new ClusterCalls(connection, known, ClusterDeployments.Role), link);
    }

    /// <inheritdoc cref="Pods"/>
    public ClusterAiRoutes AiRoutes(string? name)
    {
        var (connection, known, _) = Find(name);
        return new ClusterAiRoutes(new ClusterCalls(connection, known, ClusterAiRoutes.Role));
    }

    private (IClusterConnection Connection, string Name, string? Link) Find(string? name)
    {
        var (found, problem) = ConfiguredName.Find(Configured(name), options.Value.Default, options.Value.Clusters, "cluster", KubernetesOptions.SectionName, "Clusters:{0}", "name a cluster in the step");
        var cluster = options.Value.Clusters[found ?? throw new ClusterException(problem!)];
        var link = cluster.ResourceId is { } id ? $"{AksServers.Target(id).PortalLink}/workloads" : null;
        return (_connections.GetOrAdd(found, _ => new(() => Connection(found, cluster))).Value, found, link);
    }

    // Alerts of managed Prometheus name an AKS cluster as Azure does.
    private string? Configured(string? name) => name is null || options.Value.Clusters.ContainsKey(name) ? name
        : options.Value.Clusters.Where(cluster => cluster.Value.ResourceId?.TrimEnd('/').EndsWith($"/{name}", StringComparison.OrdinalIgnoreCase) == true).Select(cluster => cluster.Key).ToList() is [var only] ? only
        : name;

    public void Dispose()
    {
        foreach (var connection in _connections.Values.Where(connection => connection.IsValueCreated))
        {
            connection.Value.Dispose();
        }
    }

    private IClusterConnection Connection(string name, ClusterOptions cluster) => cluster.ResourceId is { } id
        ? new AksConnection(aks, id, time, server => Connect(
            name, new ClusterOptions { Server = server.Url, CertificateAuthorityData = server.CertificateAuthorityData, AzureIdentity = true }))
        : new ConfiguredConnection(Connect(name, cluster));

    private k8s.Kubernetes Connect(string name, ClusterOptions cluster)
    {
        try
        {
            var configuration = Configuration(cluster);
            // The retry below gives each attempt its time; the client's own clock spans them all.
            configuration.HttpClientTimeout = http.Value.TotalTimeout;
            return new k8s.Kubernetes(configuration, new ResilienceHandler(Retry(http.Value)));
        }
        catch (Exception unusable) when (unusable is k8s.Exceptions.KubeConfigException or k8s.Exceptions.KubernetesClientException or IOException or UnauthorizedAccessException
            or FormatException or CryptographicException)
        {
            throw new ClusterException($"The configuration of cluster '{name}' cannot be used: {unusable.Message}", unusable);
        }
    }

    private KubernetesClientConfiguration Configuration(ClusterOptions cluster) => cluster switch
    {
        { InCluster: true } => KubernetesClientConfiguration.InClusterConfig(),
        { KubeConfig: { } path } => KubernetesClientConfiguration.BuildConfigFromConfigFile(path, cluster.Context),
        _ => new KubernetesClientConfiguration
        {
            Host = cluster.Server,
            AccessToken = cluster.Token,
            TokenProvider = cluster.AzureIdentity ? new AksTokens(identity) : null,
            SslCaCerts = cluster.CertificateAuthorityData is { } pem
                ? [X509CertificateLoader.LoadCertificate(Convert.FromBase64String(pem))]
                : null,
        },
    };

    // Reads only: an eviction that may have been heard is not sent again.
    private static ResiliencePipeline<HttpResponseMessage> Retry(OutboundHttpOptions options)
    {
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>();
        if (options.Retries > 0)
        {
            var retry = new HttpRetryStrategyOptions { MaxRetryAttempts = options.Retries, Delay = options.RetryDelay };
            retry.DisableForUnsafeHttpMethods();
            pipeline.AddRetry(retry);
        }

        return pipeline.AddTimeout(options.AttemptTimeout).Build();
    }
}

/// <summary>The way to one cluster's API server.</summary>
internal interface IClusterConnection : IDisposable
{
    Task<IKubernetes> OpenAsync(CancellationToken cancellationToken);

    /// <summary>The cluster could not be asked: what is known of the way there may be out of date.</summary>
    void Doubt();
}

/// <summary>A way that the configuration tells whole.</summary>
internal sealed class ConfiguredConnection(k8s.Kubernetes client) : IClusterConnection
{
    public Task<IKubernetes> OpenAsync(CancellationToken cancellationToken) => Task.FromResult<IKubernetes>(client);

    public void Doubt()
    {
        // There is nowhere to learn it anew.
    }

    public void Dispose() => client.Dispose();
}

/// <summary>A cluster could not be asked, or said something unexpected; the message is for people. Trying again may help.</summary>
internal sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
