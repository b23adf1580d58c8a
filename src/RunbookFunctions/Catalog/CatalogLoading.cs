using Microsoft.Extensions.DependencyInjection;
using Runbooks.AzureStorage;
using Runbooks.Catalog;
using Runbooks.Intake;

namespace RunbookFunctions.Catalog;

internal static class CatalogLoading
{
    /// <summary>The published runbooks, or the packaged ones where none are published.</summary>
    public static IServiceCollection AddPublishedRunbooks(this IServiceCollection services)
    {
        services.AddOptions<RunbookSourceOptions>().BindConfiguration(RunbookSourceOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services
            .AddPublishedFiles()
            .AddSingleton<LoadedRunbooks>(provider => () => provider.GetRequiredService<RunbookCatalog>().Current)
            .AddHostedService<RunbookLoader>();
    }
}
