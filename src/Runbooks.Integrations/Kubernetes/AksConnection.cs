using k8s;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>The way to an AKS cluster of which only the resource id is configured: Azure is asked, and again after an hour or a failure.</summary>
/// <param name="connect">Makes a client for an API server that was read.</param>
internal sealed class AksConnection(AksServers servers, string resourceId, TimeProvider time, Func<AksServer, k8s.Kubernetes> connect) : IClusterConnection
{
    private static readonly TimeSpan KnownFor = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _turn = new(1);
    private AksServer? _server;
    private k8s.Kubernetes? _client;
    private DateTimeOffset _readAt;
    private volatile bool _doubtful;

    public async Task<IKubernetes> OpenAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_client is null || _doubtful || time.GetUtcNow() - _readAt > KnownFor)
            {
                await LearnAsync(cancellationToken);
            }

            return _client!;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Doubt() => _doubtful = true;

    public void Dispose()
    {
        _client?.Dispose();
        _turn.Dispose();
    }

    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        try
        {
            var server = await servers.ReadAsync(resourceId, time, cancellationToken);
            if (server != _server)
            {
                // Requests may still be under way on the client before, so it is left to end by itself.
                (_server, _client) = (server, connect(server));
            }

            (_readAt, _doubtful) = (time.GetUtcNow(), false);
        }
        catch (Exception failed) when (_client is not null && failed is AzureCallException or StepRefusedException)
        {
            // Resource Manager may be down while the cluster is not: the way that was known is tried.
        }
    }
}
