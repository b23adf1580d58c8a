using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Intake;
using Runbooks.Integrations.Notifications.Outbox;
using Runbooks.Notifications;

namespace RunbookServer.Hosting;

/// <summary>What commands need that work on files alone: the catalog, every check and action, and every channel, none of them called.</summary>
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
        services.AddSingleton<AddressSecrets>().AddSingleton<ContactsFile>().AddChannels().AddOutbox();
        return services.BuildServiceProvider();
    }
}
