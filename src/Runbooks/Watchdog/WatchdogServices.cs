using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Digest;
using Runbooks.Intake;
using Runbooks.Settings;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

public static class WatchdogServices
{
    /// <summary>The watchdog and the retention, for a host that calls them on its own timers.</summary>
    public static IServiceCollection AddWatchdog(this IServiceCollection services)
    {
        services.AddSettings<WatchdogOptions>(WatchdogOptions.SectionName);
        services.AddSettings<DigestOptions>(DigestOptions.SectionName);
        return services
            .AddSingleton<WeeklyDigest>()
            .AddIncidentIntake()
            .AddLostAlerts()
            .AddSingleton<MaintenanceEnds>()
            .AddSingleton<FileTroubles>()
            .AddSingleton<Pager>()
            .AddSingleton<HealthMonitor>()
            .AddSingleton<StoreGauges>()
            .AddSingleton<IncidentWatchdog>()
            .AddSingleton<Retention>();
    }

    /// <summary>The page about alerts that were not taken in, for the way in.</summary>
    public static IServiceCollection AddLostAlerts(this IServiceCollection services)
    {
        services.TryAddSingleton<FallbackNotifier>();
        services.TryAddSingleton<LostAlerts>();
        return services;
    }

    /// <summary>As <see cref="AddWatchdog"/>, and runs them: every minute and every day.</summary>
    public static IServiceCollection AddWatchdogLoop(this IServiceCollection services) =>
        services.AddWatchdog().AddHostedService<WatchdogLoop>();
}

/// <summary>When the watchdog pages, and how long closed incidents are kept.</summary>
public sealed class WatchdogOptions
{
    public const string SectionName = "Watch";

    /// <summary>An incident that has made no progress for this long, beyond what its own step may take, pages.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>What should have happened at once (a start, a wake-up, a message) is given this long.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>An incident that has not changed is checked again after this long; every check costs reads.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CalmFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Closed incidents, their evidence and their history are removed after this long.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(90);
}
