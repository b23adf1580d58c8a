using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Runbooks.Intake;
using Runbooks.Notifications.Storms;
using Runbooks.Settings;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

public static class WatchdogServices
{
    public static IServiceCollection AddWatchdog(this IServiceCollection services)
    {
        services.AddSettings<WatchdogOptions>(WatchdogOptions.SectionName);
        services.AddSettings<DigestOptions>(DigestOptions.SectionName);
        return services
            .AddIncidentIntake()
            .AddLostAlerts()
            .AddSingleton<HealthMonitor>()
            .AddSingleton<StoreGauges>()
            .AddSingleton<IWatchdogJob, RestoredNotice>()
            .AddSingleton<IWatchdogJob>(services => services.GetRequiredService<LostAlerts>())
            .AddSingleton<IWatchdogJob>(services => services.GetRequiredService<AzureMonitorSilence>())
            .AddSingleton<FileReports>()
            .AddSingleton<IWatchdogJob, FileTroubles>()
            .AddSingleton<IWatchdogJob, MaintenanceEnds>()
            .AddSingleton<IWatchdogJob, StormEndNotifier>()
            .AddSingleton<IWatchdogJob, IncidentChecks>()
            .AddSingleton<IWatchdogJob, WeeklyDigest>()
            .AddSingleton<IWatchdogJob>(services => services.GetRequiredService<UnendedAlerts>())
            .AddSingleton<IncidentWatchdog>()
            .AddSingleton<Retention>();
    }

    public static IServiceCollection AddLostAlerts(this IServiceCollection services)
    {
        services.TryAddSingleton<FallbackNotifier>();
        services.TryAddSingleton<LostAlerts>();
        services.TryAddSingleton<AzureMonitorSilence>();
        return services;
    }

    /// <summary>Like <see cref="AddWatchdog"/>, and also runs them every minute and every day.</summary>
    public static IServiceCollection AddWatchdogLoop(this IServiceCollection services) =>
        services.AddWatchdog().AddHostedService<WatchdogLoop>();
}

/// <summary>Section <c>Watch</c>: when the watchdog pages, and how long closed incidents are kept.</summary>
public sealed class WatchdogOptions
{
    public const string SectionName = "Watch";

    /// <summary>An incident that has made no progress for this long, beyond what its own step may take, pages.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>What should happen at once (a start, a wake-up, a message) gets this long.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>An incident that has not changed is checked again only after this long, since every check costs reads.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CalmFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Closed incidents that people are done with, their evidence and their history are removed after this long.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(90);
}

/// <param name="turn">Null where no other process watches the same store.</param>
internal sealed class WatchdogLoop(
    IncidentWatchdog watch,
    HealthMonitor health,
    Retention retention,
    TimeProvider time,
    ILogger<WatchdogLoop> logger,
    WatchTurn? turn = null) : BackgroundService
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private long? _purged;
    private long? _forgotten;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var minute = new PeriodicTimer(s_minute, time);
        while (await minute.WaitForNextTickAsync(stoppingToken))
        {
            // On another thread, since a read may block on a disk that hangs, and the watchdog has to go on.
            await WatchAsync(Task.Run(() => logger.TryPartAsync(FallbackNotifier.SystemId, TickAsync, stoppingToken), stoppingToken), stoppingToken);
        }
    }

    /// <summary>While a tick hangs, checks every minute whether store and engine work.</summary>
    private async Task WatchAsync(Task tick, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await tick.WaitAsync(s_minute, time, CancellationToken.None);
                return;
            }
            catch (TimeoutException) when (!tick.IsFaulted)
            {
                await logger.TryPartAsync(FallbackNotifier.SystemId, health.CheckAsync, cancellationToken);
            }
        }
    }

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        if (IsDue(_forgotten))
        {
            _forgotten = time.GetTimestamp();
            await retention.ForgetMessagesAsync(cancellationToken);
        }

        // A process that cannot reach the store must not keep the turn from one that can.
        if (turn is not null && !(await health.CheckAsync(cancellationToken) && await turn.TakeAsync(cancellationToken)))
        {
            return;
        }

        await watch.CheckAsync(cancellationToken);
        if (IsDue(_purged) && await retention.RemoveIncidentsAsync(cancellationToken))
        {
            _purged = time.GetTimestamp();
        }
    }

    private bool IsDue(long? last) => last is not { } at || time.GetElapsedTime(at) >= s_day;
}

/// <summary>Lets one of several processes watch, since two would page twice. When it dies, another takes over within minutes.</summary>
public sealed class WatchTurn(ISharedState state, TimeProvider time, string holder)
{
    private const string Key = "watch";

    /// <summary>Longer than the pause between two rounds, so that the turn stays where it is.</summary>
    private static readonly TimeSpan s_length = TimeSpan.FromSeconds(150);

    /// <exception cref="StoreUnavailableException">Whose turn it is cannot be read.</exception>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Turn, bool>(
            Key,
            turn => turn is null || turn.Holder == holder || !TurnEnd.IsAhead(turn.Until, s_length, now)
                ? (new(holder, now + s_length), true)
                : (turn, false),
            cancellationToken)).Result;
    }

    public sealed record Turn(string Holder, DateTimeOffset Until);
}

/// <summary>
/// Checks everything from outside the workflows. Its jobs run in the order in which <see cref="WatchdogServices"/> adds them. Hosts call it
/// every minute.
/// </summary>
public sealed class IncidentWatchdog(HealthMonitor health, IEnumerable<IWatchdogJob> jobs, ILogger<IncidentWatchdog> logger)
{
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (!await health.CheckAsync(cancellationToken))
        {
            // Nothing can be judged without store and engine: every incident would look lost.
            return;
        }

        foreach (var job in jobs)
        {
            await logger.TryPartAsync(job.Name, job.RunAsync, cancellationToken);
        }
    }
}

internal sealed class RestoredNotice(RestoredRecords restored, FallbackNotifier fallback) : IWatchdogJob
{
    public string Name => "the store's generation";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await restored.CheckAsync(cancellationToken);
        if (await restored.FindUntoldAsync(cancellationToken) is { } at && await fallback.NotifyAsync(
            "The records were restored from a backup",
            $"Noticed at {at:yyyy-MM-dd HH:mm} UTC. What happened after the backup was made is not in them. "
            + "Incidents that were open then ask again before anything is done, and page by themselves. "
            + "Look at the page Safety: the kill switch and the breakers are as they were then.",
            FallbackNotifier.SystemId,
            $"restored:{at.UtcTicks}",
            cancellationToken))
        {
            await restored.NoteToldAsync(cancellationToken);
        }
    }
}
