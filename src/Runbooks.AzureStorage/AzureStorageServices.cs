using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Storage;

namespace Runbooks.AzureStorage;

public static class AzureStorageServices
{
    /// <summary>Incidents and shared state in Azure Tables, evidence in Azure Blobs; configured by the section <c>AzureStorage</c>.</summary>
    public static IServiceCollection AddAzureStorage(this IServiceCollection services)
    {
        services.AddOptions<AzureStorageOptions>().BindConfiguration(AzureStorageOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services
            .AddSingleton(provider => new AzureStorageClients(provider.GetRequiredService<IOptions<AzureStorageOptions>>().Value))
            .AddSingleton<IIncidentStore>(provider => new TableIncidentStore(Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<ISharedState>(provider => new TableSharedState(Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<IEvidenceStore>(provider => new BlobEvidenceStore(Clients(provider).Container(Options(provider).EvidenceContainer)));
    }

    /// <summary>Reads what was published to a container of the same account.</summary>
    public static IServiceCollection AddPublishedFiles(this IServiceCollection services) =>
        services.AddSingleton(provider => new PublishedFiles(Clients(provider)));

    private static AzureStorageClients Clients(IServiceProvider provider) => provider.GetRequiredService<AzureStorageClients>();

    private static AzureStorageOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<AzureStorageOptions>>().Value;
}
