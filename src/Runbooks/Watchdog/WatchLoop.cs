using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Runbooks.Watchdog;

/// <summary>The watch for hosts without timers of their own.</summary>
/// <param name="turn">Null where no other process watches the same store.</param>
internal sealed class WatchLoop(
    DeadManWatch watch, HealthWatch health, Retention retention, TimeProvider time, ILogger<WatchLoop> logger, WatchTurn? turn = null) : BackgroundService
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        var purgeAt = time.GetUtcNow();
        while (await minute.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                // A process that cannot look must not keep the turn from one that can.
                if (turn is not null && !(await health.LookAsync(stoppingToken) && await turn.TakeAsync(stoppingToken)))
                {
                    continue;
                }

                await watch.LookAsync(stoppingToken);
                if (time.GetUtcNow() >= purgeAt)
                {
                    await retention.RunAsync(stoppingToken);
                    purgeAt = time.GetUtcNow() + Day;
                }
            }
#pragma warning disable CA1031 // The watch outlives whatever it watches.
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.WatchFailed(logger, FallbackContact.SystemId, failure);
            }
        }
    }
}
