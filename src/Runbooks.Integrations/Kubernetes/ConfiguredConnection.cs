using k8s;

namespace Runbooks.Integrations.Kubernetes;

internal interface IClusterConnection : IDisposable
{
    Task<IKubernetes> OpenAsync(CancellationToken cancellationToken);

    /// <summary>The cluster could not be asked, so the known address may be out of date.</summary>
    void Invalidate();
}

/// <param name="file">The kubeconfig file, which is read again when it was written; null where there is none.</param>
internal sealed class ConfiguredConnection(Func<k8s.Kubernetes> connect, string? file = null) : IClusterConnection
{
    private readonly Lock _gate = new();
    private k8s.Kubernetes? _client;
    private DateTime? _written;

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

    public void Invalidate()
    {
        // There is nowhere to learn the address again.
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
