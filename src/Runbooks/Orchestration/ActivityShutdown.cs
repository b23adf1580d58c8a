using Runbooks.Engine;

namespace Runbooks.Orchestration;

/// <summary>Tells running activities that the host stops. One that gives up because of it runs again after the next start.</summary>
public sealed class ActivityShutdown : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Cancelled when the host begins to stop. Durable Task itself gives activities no token.</summary>
    public CancellationToken Token => _stopping.Token;

    internal BusyCount Running { get; } = new();

    public void Dispose() => _stopping.Dispose();

    // Those who react to the token do so elsewhere: nothing that an activity does may hold up the stop.
    internal void Stop() => _ = _stopping.CancelAsync();
}
