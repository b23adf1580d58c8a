using System.Collections.Concurrent;
using Azure.Core;
using k8s;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>The configured clusters, each with one client that is made when it is first needed.</summary>
internal sealed class Clusters(IOptions<KubernetesOptions> options, IOptions<OutboundHttpOptions> http, TokenCredential identity) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<k8s.Kubernetes>> _clients = new(StringComparer.Ordinal);

    /// <exception cref="ClusterException">There is no such cluster, or its configuration cannot be used.</exception>
    public ClusterPods Pods(string? name)
    {
        var known = options.Value.Clusters;
        name ??= options.Value.Default ?? (known.Count == 1 ? known.Keys.First() : null);
        if (name is null || !known.TryGetValue(name, out var cluster))
        {
            throw new ClusterException(name is null
                ? $"No cluster is chosen. Set {KubernetesOptions.SectionName}:Default, or name a cluster in the step."
                : $"No cluster is configured as '{name}'. Add {KubernetesOptions.SectionName}:Clusters:{name}.");
        }

        return new ClusterPods(_clients.GetOrAdd(name, _ => new(() => Connect(name, cluster))).Value, name);
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values.Where(client => client.IsValueCreated))
        {
            client.Value.Dispose();
        }
    }

    private k8s.Kubernetes Connect(string name, ClusterOptions cluster)
    {
        try
        {
            var configuration = Configuration(cluster);
            // The retry below gives each attempt its time; the client's own clock spans them all.
            configuration.HttpClientTimeout = http.Value.TotalTimeout;
            return new k8s.Kubernetes(configuration, new ResilienceHandler(Retry(http.Value)));
        }
        catch (Exception unusable) when (unusable is k8s.Exceptions.KubeConfigException or k8s.Exceptions.KubernetesClientException or IOException or UnauthorizedAccessException)
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
                ? [System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(Convert.FromBase64String(pem))]
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
