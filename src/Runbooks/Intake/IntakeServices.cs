using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Intake.Parsing;
using Runbooks.Intake.Parsing.AzureMonitor;

namespace Runbooks.Intake;

public static class IntakeServices
{
    /// <summary>The ways in. The host says which runbooks are loaded by adding <see cref="LoadedRunbooks"/>.</summary>
    public static IServiceCollection AddIncidentIntake(this IServiceCollection services)
    {
        services.TryAddSingleton<AlertUpdates>();
        services.TryAddSingleton<UnmatchedAlerts>();
        services.TryAddSingleton<IncidentIntake>();
        services.TryAddSingleton<ManualStart>();
        services.TryAddSingleton<IncidentRetry>();
        return services;
    }
}

public static class AlertsServices
{
    /// <summary>The built-in senders. Another one is another <see cref="IAlertParser"/> in the container.</summary>
    public static IServiceCollection AddAlerts(this IServiceCollection services)
    {
        services.TryAddEnumerable(
        [
            ServiceDescriptor.Singleton<IAlertParser, AzureMonitorParser>(),
            ServiceDescriptor.Singleton<IAlertParser, AlertmanagerParser>(),
            ServiceDescriptor.Singleton<IAlertParser, GrafanaParser>(),
            ServiceDescriptor.Singleton<IAlertParser, GenericParser>(),
            ServiceDescriptor.Singleton<IAlertParser, EventGridParser>(),
        ]);
        services.TryAddSingleton<AlertReader>();
        return services;
    }
}
