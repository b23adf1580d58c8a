using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure.Monitor;

public static class AzureMonitorRegistration
{
    /// <summary>The checks <c>azureMonitor.metric</c>, <c>azureMonitor.logs</c> and <c>resourceHealth</c>, and the action <c>azureAlert.close</c>.</summary>
    public static IServiceCollection AddAzureMonitor(this IServiceCollection services)
    {
        services.AddAzureMetrics();
        services.AddSingleton<ICheck, MetricCheck>();
        services.AddAzureLogs();
        services.AddSingleton<ICheck, LogsCheck>();
        services.AddSingleton<ICheck, ResourceHealthCheck>();
        return services.AddSingleton<IAction, CloseAlert>();
    }

    internal static IServiceCollection AddAzureLogs(this IServiceCollection services)
    {
        services.AddAzure();
        services.TryAddSingleton<LogsClient>();
        return services;
    }

    internal static IServiceCollection AddAzureMetrics(this IServiceCollection services)
    {
        services.AddAzure();
        services.TryAddSingleton<AzureMetrics>();
        return services;
    }
}
