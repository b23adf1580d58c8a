using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Model.Storage;

namespace Runbooks.Watchdog;

/// <summary>
/// Pages once when the engine or the store stops working, and says when it works again. Remembered in this process
/// only: what would remember it longer is the very thing that is down.
/// </summary>
public sealed class HealthMonitor(
    IIncidentStore store, IIncidentEngine engine, FallbackNotifier fallback, ILogger<HealthMonitor> logger)
{
    /// <summary>A single failed check is a hiccup.</summary>
    private const int PageAfterFailures = 2;

    private int _failures;
    private bool _paged;

    /// <returns>Whether both work.</returns>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        if (await FindProblemAsync(cancellationToken) is { } trouble)
        {
            _failures++;
            Log.Unhealthy(logger, trouble);
            if (_failures >= PageAfterFailures && !_paged)
            {
                _paged = await fallback.NotifyAsync("The runbooks themselves are down", trouble, cancellationToken);
            }

            return false;
        }

        if (_paged)
        {
            await fallback.NotifyAsync("The runbooks work again", "Engine and store answer. Open incidents go on where they stood.", cancellationToken);
        }

        (_failures, _paged) = (0, false);
        return true;
    }

    private async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await engine.CheckHealthAsync(cancellationToken) ?? await store.CheckHealthAsync(cancellationToken);
        }
#pragma warning disable CA1031 // Whatever it throws, it does not work.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return failure.Message;
        }
    }
}
