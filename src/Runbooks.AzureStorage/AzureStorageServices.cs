using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Publishing;
using Runbooks.Settings;

namespace Runbooks.AzureStorage;

public static class AzureStorageServices
{
    /// <summary>Incidents and shared state in Azure Tables, evidence in Azure Blobs; configured by the section <c>AzureStorage</c>.</summary>
    public static IServiceCollection AddAzureStorage(this IServiceCollection services)
    {
        services.AddSettings<AzureStorageOptions>(AzureStorageOptions.SectionName);
        return services.AddStores();
    }

    /// <summary>
    /// Everything in one account that several processes share: the stores, and the task hub of
    /// <see cref="TaskHubServices.AddTaskHub"/>; configured by the section <c>Storage</c>.
    /// </summary>
    public static IServiceCollection AddStorageAccount(this IServiceCollection services)
    {
        services.AddSettings<StorageAccountOptions>(StorageAccountOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StorageAccountOptions>, StorageAccountOptionsRules>());
        services.AddOptions<AzureStorageOptions>().Configure<IOptions<StorageAccountOptions>>((stores, storage) => stores.Use(storage.Value));
        services.TryAddSingleton(TaskHubTimes.Usual);

        // The hub has these options itself, so it is looked for when it is asked.
        services.AddOptions<TaskHubOptions>().Configure<IServiceProvider>((hub, provider) =>
            hub.CheckHealth = cancellationToken => provider.GetRequiredService<AzureOrchestrationService>().CheckHealthAsync(cancellationToken));
        return services
            .AddStores()
            .AddSingleton(provider => new SharedKeys(Clients(provider)))
            .AddSingleton(CreateHub)
            .AddSingleton<IOrchestrationService>(provider => provider.GetRequiredService<AzureOrchestrationService>())
            .AddSingleton<IOrchestrationServiceClient>(provider => provider.GetRequiredService<AzureOrchestrationService>());
    }

    /// <summary>The container of the same account with a rule set.</summary>
    public static IRuleSetPlace RuleSetContainer(this IServiceProvider provider, string name) => Clients(provider).RuleSet(name);

    private static IServiceCollection AddStores(this IServiceCollection services) => services
        .AddSingleton(provider => new AzureStorageClients(Options(provider)))
        .AddSingleton<IIncidentStore>(provider => new TableIncidentStore(
            Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<TableIncidentStore>>()))
        .AddSingleton<ISharedState>(provider => new TableSharedState(Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<IEvidenceStore>(provider => new BlobEvidenceStore(Clients(provider).Container(Options(provider).EvidenceContainer)))
        .AddSingleton<IGenerationWitness>(provider => new BlobWitness(Clients(provider).Container(Options(provider).DocumentContainer)));

    private static AzureOrchestrationService CreateHub(IServiceProvider provider)
    {
        var (redeliveries, log) = (new RedeliveryCounts(), new HubLog(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        var account = provider.GetRequiredService<IOptions<StorageAccountOptions>>().Value;
        var inner = AzureTaskHub.Create(account, provider.GetRequiredService<TaskHubTimes>(), redeliveries, log);
        var attempts = new TurnAttempts(Clients(provider).Table(Options(provider).StateTable));
        var service = new AzureOrchestrationService(inner, AzureTaskHub.WorkItems(account), redeliveries, attempts, provider.GetRequiredService<TaskHubOptions>(), log);

        // Before the worker stops asking for work: what is taken from a queue after that would stay locked, and nobody would do it.
        provider.GetService<IHostApplicationLifetime>()?.ApplicationStopping.Register(() => _ = service.StopAsync(isForced: false));
        return service;
    }

    private static AzureStorageClients Clients(IServiceProvider provider) => provider.GetRequiredService<AzureStorageClients>();

    private static AzureStorageOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<AzureStorageOptions>>().Value;
}
