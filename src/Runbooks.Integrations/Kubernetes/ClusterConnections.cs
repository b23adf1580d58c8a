using k8s;
using k8s.Authentication;
using k8s.KubeConfigModels;

namespace Runbooks.Integrations.Kubernetes;

internal interface IClusterConnection : IDisposable
{
    Task<IKubernetes> OpenAsync(CancellationToken cancellationToken);

    /// <summary>The cluster could not be asked, or does not know who asks: the known address or identity may be out of date.</summary>
    void Invalidate(bool reached);
}

/// <param name="file">The kubeconfig file, which is read again when it was written; null where there is none.</param>
internal sealed class ConfiguredConnection(Func<k8s.Kubernetes> connect, TimeProvider time, string? file = null) : IClusterConnection
{
    /// <summary>Reading it may start a program that signs in, and every call waits for that.</summary>
    private static readonly TimeSpan s_betweenReads = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private k8s.Kubernetes? _client;
    private DateTime? _written;
    private DateTimeOffset _mayReadAgain;

    public Task<IKubernetes> OpenAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var written = WrittenAt();
            if (_client is null || written != _written)
            {
                try
                {
                    // Others may still use the client before, so that one is left to the garbage collector.
                    (_client, _written) = (connect(), written);
                }
                catch (ClusterException) when (_client is not null)
                {
                    // The file may be half written: until it can be read, what was read before counts.
                }
            }

            return Task.FromResult<IKubernetes>(_client);
        }
    }

    public void Invalidate(bool reached)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (reached && now >= _mayReadAgain)
            {
                // The file may have been replaced by one with the same time.
                (_written, _mayReadAgain) = (null, now + s_betweenReads);
            }
        }
    }

    public void Dispose() => _client?.Dispose();

    private DateTime? WrittenAt()
    {
        try
        {
            // A mounted secret is a link to the file that counts at present.
            return file is null ? null : (File.ResolveLinkTarget(file, returnFinalTarget: true) ?? new FileInfo(file)).LastWriteTimeUtc;
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>
/// The connection to an AKS cluster that is configured by its resource id alone. Azure is asked for its API server, and asked
/// again after an hour or a failure. Callers that need the answer at the same time share one question. While Azure gives no
/// answer, it is asked less and less often.
/// </summary>
internal sealed class AksConnection(
    AksServers servers, string resourceId, TimeProvider time, Func<AksServer, k8s.Kubernetes> connect) : IClusterConnection
{
    private static readonly TimeSpan s_knownFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private Task? _learning;
    private Exception? _failure;
    private TimeSpan _pause = s_firstPause;
    private DateTimeOffset _askAgain;
    private AksServer? _server;
    private volatile k8s.Kubernetes? _client;
    private DateTimeOffset _readAt;
    private bool _isStale;

    public async Task<IKubernetes> OpenAsync(CancellationToken cancellationToken)
    {
        await Known().WaitAsync(cancellationToken);
        return _client!;
    }

    public void Invalidate(bool reached)
    {
        lock (_gate)
        {
            _isStale = true;
        }
    }

    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
        _client?.Dispose();
    }

    /// <summary>Ends when there is a client, or in the failure of the last attempt.</summary>
    private Task Known()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_learning is { IsCompleted: false })
            {
                return _learning;
            }

            if (_client is not null && !_isStale && now - _readAt <= s_knownFor)
            {
                return Task.CompletedTask;
            }

            if (_failure is not null && now < _askAgain)
            {
                return _client is null ? Task.FromException(_failure) : Task.CompletedTask;
            }

            return _learning = LearnAsync(_closing.Token);
        }
    }

    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        // The next caller must not wait in the lock until this one has sent its request.
        await Task.Yield();
        try
        {
            var server = await servers.ReadAsync(resourceId, time, cancellationToken);
            lock (_gate)
            {
                if (server != _server)
                {
                    // Requests may still run on the client before, so it is left to end by itself.
                    (_server, _client) = (server, connect(server));
                }

                (_readAt, _isStale, _failure, _pause) = (time.GetUtcNow(), false, null, s_firstPause);
            }
        }
        catch (Exception failed) when (failed is AzureRequestException or StepRefusedException)
        {
            lock (_gate)
            {
                (_failure, _askAgain) = (failed, time.GetUtcNow() + _pause);
                _pause = _pause * 2 < s_longestPause ? _pause * 2 : s_longestPause;
            }

            // Resource Manager may be down while the cluster is not: the known address is tried.
            if (_client is null)
            {
                throw;
            }
        }
    }
}

/// <seealso href="https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials"/>
internal sealed class AksServers(ArmResources arm)
{
    private const string Version = "2025-10-01";
    private const string Role = "Azure Kubernetes Service Cluster User Role";

    public static ArmTarget Target(string resourceId) => new(resourceId, Version, Role);

    public async Task<AksServer> ReadAsync(string resourceId, TimeProvider time, CancellationToken cancellationToken)
    {
        var cluster = Target(resourceId);
        var answer = await arm.SendAsync(
            arm.Call(cluster, RequestMethod.Post, "get its credentials", below: "/listClusterUserCredential") with { OnlyReads = true },
            time,
            cancellationToken);
        try
        {
            var file = ArmResources.ReadObject(cluster, answer.Body)["kubeconfigs"]![0]!["value"]!.GetValue<string>();
            return Read(KubernetesYaml.Deserialize<K8SConfiguration>(Encoding.UTF8.GetString(Convert.FromBase64String(file))))
                ?? throw new FormatException("It names no API server that may be sent a token.");
        }
        catch (Exception odd) when (odd is FormatException
            or NullReferenceException
            or InvalidOperationException
            or ArgumentOutOfRangeException
            or YamlDotNet.Core.YamlException)
        {
            throw new AzureRequestException(
                $"The credentials of {cluster.DisplayName} are not a kubeconfig that can be used: {odd.Message}", inner: odd);
        }
    }

    // Only the address is taken: the app's own identity signs in, and a program that the file names never runs.
    private static AksServer? Read(K8SConfiguration file) =>
        file.Clusters?.FirstOrDefault()?.ClusterEndpoint is { Server: { } server } endpoint
        && Uri.TryCreate(server, UriKind.Absolute, out var url)
        && url is { Scheme: "https" } or { Scheme: "http", IsLoopback: true }
            ? new AksServer(server, endpoint.CertificateAuthorityData)
            : null;
}

internal sealed record AksServer(string Url, string? CertificateAuthorityData);

internal sealed class AksTokens(TokenCredential identity) : ITokenProvider
{
    /// <summary>The server application of AKS, the same in every tenant.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/aks/kubelogin-authentication"/>
    public const string Scope = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

    public async Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken) =>
        new("Bearer", (await identity.GetTokenAsync(new TokenRequestContext([Scope]), cancellationToken)).Token);
}
