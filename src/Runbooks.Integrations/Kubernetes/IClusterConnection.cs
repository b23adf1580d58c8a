using k8s;

namespace Runbooks.Integrations.Kubernetes;

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
