using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using k8s;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class Clusters(
    IOptions<KubernetesOptions> options,
    IOptions<OutboundHttpOptions> http,
    TokenCredential identity,
    AksServers aks,
    TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, IClusterConnection> _connections = new(StringComparer.Ordinal);

    /// <exception cref="ClusterException">There is no such cluster, or its configuration cannot be used.</exception>
    /// <param name="role">The role that an error asks for; the one for changes when left out.</param>
    public ClusterPods Pods(string? name, string role = ClusterPods.Role) => new(Calls(name, role));

    /// <inheritdoc cref="Pods"/>
    public ClusterNodes Nodes(string? name, string role = ClusterNodes.Role) => new(Calls(name, role));

    /// <inheritdoc cref="Pods"/>
    public ClusterDeployments Deployments(string? name, string role = ClusterDeployments.Role) => new(Calls(name, role));

    /// <inheritdoc cref="Pods"/>
    public ClusterAiRoutes AiRoutes(string? name) => new(Calls(name, ClusterAiRoutes.Role));

    private ClusterCalls Calls(string? name, string role)
    {
        var (found, problem) = ConfiguredName.Find(
            Configured(name),
            options.Value.Default,
            options.Value.Clusters,
            "cluster",
            KubernetesOptions.SectionName,
            "Clusters:{0}",
            "name a cluster in the step");
        var cluster = options.Value.Clusters[found ?? throw new ClusterException(problem!)];
        var link = cluster.ResourceId is { } id ? $"{AksServers.Target(id).PortalLink}/workloads" : null;
        return new(_connections.GetOrAdd(found, _ => Connection(found, cluster)), found, role) { Link = link };
    }

    // Alerts of managed Prometheus name an AKS cluster as Azure does.
    private string? Configured(string? name)
    {
        if (name is null || options.Value.Clusters.ContainsKey(name))
        {
            return name;
        }

        var namedSo = options.Value.Clusters
            .Where(cluster => cluster.Value.ResourceId?.TrimEnd('/').EndsWith($"/{name}", StringComparison.OrdinalIgnoreCase) == true)
            .Select(cluster => cluster.Key)
            .ToList();
        return namedSo is [var only] ? only : name;
    }

    public void Dispose()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }
    }

    private IClusterConnection Connection(string name, ClusterOptions cluster) => cluster.ResourceId is { } id
        ? new AksConnection(aks, id, time, server => Connect(
            name,
            new ClusterOptions { Server = server.Url, CertificateAuthorityData = server.CertificateAuthorityData, AzureIdentity = true }))
        : new ConfiguredConnection(() => Connect(name, cluster), time, cluster.KubeConfig);

    private k8s.Kubernetes Connect(string name, ClusterOptions cluster)
    {
        try
        {
            var configuration = Configuration(cluster);
            // The retry below limits each attempt; the client's own timeout spans them all.
            configuration.HttpClientTimeout = http.Value.TotalTimeout;
            configuration.FirstMessageHandlerSetup = handler => handler.AllowAutoRedirect = false;
            return new k8s.Kubernetes(configuration, new BoundedAnswers(), new ResilienceHandler(Retry(http.Value)));
        }
        catch (Exception unusable) when (unusable is k8s.Exceptions.KubeConfigException
            or k8s.Exceptions.KubernetesClientException
            or IOException
            or UnauthorizedAccessException
            or FormatException
            or YamlDotNet.Core.YamlException
            or CryptographicException
            or NullReferenceException
            or ArgumentException)
        {
            // So the library fails on a file that is empty or was cut off, and its message says nothing of that.
            var why = unusable is NullReferenceException or ArgumentNullException ? "it is empty, or a part of it is missing." : unusable.Message;
            throw new ClusterException($"The configuration of cluster '{name}' cannot be used: {why}", unusable);
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

    // Reads only: an eviction that may have arrived is not sent again.
    private static ResiliencePipeline<HttpResponseMessage> Retry(OutboundHttpOptions options)
    {
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>();
        if (options.Retries > 0)
        {
            var retry = new HttpRetryStrategyOptions { MaxRetryAttempts = options.Retries, Delay = options.RetryDelay };
            retry.LimitToReads();
            pipeline.AddRetry(retry);
        }

        return pipeline.AddTimeout(options.AttemptTimeout).Build();
    }
}

/// <summary>Reads each answer to its end, and no further than this: whoever answers could fill the memory of this process.</summary>
internal sealed class BoundedAnswers : DelegatingHandler
{
    /// <summary>A page of 500 pods has some 10 MB.</summary>
    public const int LargestAnswer = 64 * 1024 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        try
        {
            await answer.Content.LoadIntoBufferAsync(LargestAnswer, cancellationToken);
            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }
}

internal sealed class ClusterException(string message, Exception? inner = null) : AttemptFailedException(message, inner)
{
    /// <summary>The status of the answer; null where there was none, or where it says no more than the message.</summary>
    public int? Status { get; init; }
}

internal static class ClusterLook
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A cluster that does not answer says nothing about the change in it, so it is asked again until the step has no time left.
    /// </summary>
    /// <param name="known">
    /// What was done, and what was seen of it, for the message when the time is over: <c>deployment a/b was restarted</c>.
    /// </param>
    public static async Task<T> LookAsync<T>(this StepContext context, string known, Func<Task<T>> look, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await look();
            }
            catch (ClusterException nobody)
            {
                context.Progress.Report($"{known}, and how that goes cannot be seen: {nobody.Message.TrimEnd('.')}");
            }
            catch (StepRefusedException refused)
            {
                throw new StepRefusedException($"{CleanText.Capital(known)}. {refused.Message}");
            }

            await Task.Delay(s_pause, context.Time, cancellationToken);
        }
    }
}

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
        .. Clusters.SelectMany(
            cluster => cluster.Value.Problems().Select(problem => new ValidationResult($"{SectionName}:Clusters:{cluster.Key} {problem}"))),
    ];
}

/// <summary>
/// How one cluster is reached: exactly one of <see cref="ResourceId"/>, <see cref="KubeConfig"/>, <see cref="InCluster"/> and
/// <see cref="Server"/>.
/// </summary>
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
            yield return "has a ResourceId that is not the id of an AKS cluster: "
                + "/subscriptions/…/Microsoft.ContainerService/managedClusters/{name}.";
        }

        if (Server is null)
        {
            yield break;
        }

        if (!Uri.TryCreate(Server, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
        {
            yield return "has a Server that is not an absolute http or https URL.";
        }
        else if (server.AbsolutePath.TrimEnd('/').EndsWith("/api/v1", StringComparison.Ordinal))
        {
            yield return "has a Server that ends in /api/v1: that is added.";
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
