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
        services.AddSettings<WatchdogOptions>(WatchdogOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSettings<DigestOptions>(DigestOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
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
