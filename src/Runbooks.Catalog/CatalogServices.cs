using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Schema;

namespace Runbooks.Catalog;

public static class CatalogServices
{
    /// <summary>The runbooks in force, empty until the host loads its files, and what reads them.</summary>
    public static IServiceCollection AddRunbookCatalog(this IServiceCollection services)
    {
        services.AddRunbookSteps();
        services.TryAddSingleton(HostSettings.None);
        services.TryAddSingleton<RunbookReader>();
        services.TryAddSingleton<RunbookCatalog>();
        services.TryAddSingleton<RunbookSchema>();
        return services;
    }
}
