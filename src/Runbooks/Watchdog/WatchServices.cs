using Microsoft.Extensions.DependencyInjection;

namespace Runbooks.Watchdog;

public static class WatchServices
{
    /// <summary>The dead-man watch and the retention, for a host that calls them on its own timers.</summary>
    public static IServiceCollection AddIncidentWatch(this IServiceCollection services)
    {
        services.AddOptions<WatchOptions>().BindConfiguration(WatchOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services
            .AddSingleton<FallbackContact>()
            .AddSingleton<Pager>()
            .AddSingleton<HealthWatch>()
            .AddSingleton<DeadManWatch>()
            .AddSingleton<Retention>();
    }

    /// <summary>As <see cref="AddIncidentWatch"/>, and runs them: every minute and every day.</summary>
    public static IServiceCollection AddIncidentWatchLoop(this IServiceCollection services) =>
        services.AddIncidentWatch().AddHostedService<WatchLoop>();
}
