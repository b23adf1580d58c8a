using Runbooks.Alerts;
using Runbooks.Catalog;
using Runbooks.Integrations;

namespace RunbookLocal.Hosting;

/// <summary>What commands need that work on files alone: the catalog and every check and action, none of them called.</summary>
internal static class OfflineServices
{
    public static ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddRunbookCatalog();
        services.AddAlerts();
        services.AddIntegrations();
        return services.BuildServiceProvider();
    }
}
