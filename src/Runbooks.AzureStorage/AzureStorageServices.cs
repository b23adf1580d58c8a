using System.Text;
using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
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
    /// Everything in one account that several processes share: the stores, and the task hub of <see cref="TaskHubServices.AddTaskHub"/>.
    /// Configured by the section <c>Storage</c>.
    /// </summary>
    public static IServiceCollection AddStorageAccount(this IServiceCollection services)
    {
        services.AddSettings<StorageAccountOptions>(StorageAccountOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StorageAccountOptions>, StorageAccountOptionsRules>());
        services.AddOptions<AzureStorageOptions>().Configure<IOptions<StorageAccountOptions>>((stores, storage) => stores.Use(storage.Value));
        services.TryAddSingleton(TaskHubTimes.Usual);

        // Resolved late, since the hub needs these options itself.
        services.AddOptions<TaskHubOptions>().Configure<IServiceProvider>((hub, provider) =>
            hub.CheckHealth = cancellationToken => provider.GetRequiredService<AzureOrchestrationService>().CheckHealthAsync(cancellationToken));
        return services
            .AddStores()
            .AddSingleton(provider => new SharedKeys(Clients(provider)))
            .AddSingleton(CreateHub)
            .AddSingleton<IOrchestrationService>(provider => provider.GetRequiredService<AzureOrchestrationService>())
            .AddSingleton<IOrchestrationServiceClient>(provider => provider.GetRequiredService<AzureOrchestrationService>());
    }

    public static IRuleSetPlace RuleSetContainer(this IServiceProvider provider, string name) => Clients(provider).RuleSet(name);

    private static IServiceCollection AddStores(this IServiceCollection services) => services
        .AddSingleton(provider => new AzureStorageClients(Options(provider)))
        .AddSingleton<IIncidentStore>(provider => new TableIncidentStore(
            Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<TableIncidentStore>>()))
        .AddSingleton<ISharedState>(provider => new TableSharedState(
            Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<IEvidenceStore>(provider => new BlobEvidenceStore(Clients(provider).Container(Options(provider).EvidenceContainer)))
        .AddSingleton<IGenerationWitness>(provider => new BlobWitness(Clients(provider).Container(Options(provider).DocumentContainer)));

    private static AzureOrchestrationService CreateHub(IServiceProvider provider)
    {
        var (redeliveries, log) = (
            new RedeliveryCounts(),
            new HubLog(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        var account = provider.GetRequiredService<IOptions<StorageAccountOptions>>().Value;
        var inner = AzureTaskHub.Create(account, provider.GetRequiredService<TaskHubTimes>(), redeliveries, log);
        var attempts = new TurnAttempts(Clients(provider).Table(Options(provider).StateTable));
        var service = new AzureOrchestrationService(
            inner, AzureTaskHub.WorkItems(account), redeliveries, attempts, provider.GetRequiredService<TaskHubOptions>(), log);

        // Before the worker stops asking for work: a message that it takes after that would stay locked without anybody working on it.
        provider.GetService<IHostApplicationLifetime>()?.ApplicationStopping.Register(() => _ = service.StopAsync(isForced: false));
        return service;
    }

    private static AzureStorageClients Clients(IServiceProvider provider) => provider.GetRequiredService<AzureStorageClients>();

    private static AzureStorageOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<AzureStorageOptions>>().Value;
}

/// <summary>Section <c>Storage</c>: the one account that self-hosted processes share, for everything that they keep.</summary>
public sealed class StorageAccountOptions
{
    public const string SectionName = "Storage";

    /// <summary>With a key in it. In Azure prefer the account's name, which needs no secret.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    /// <summary>The account's name; the process signs in with its managed identity or workload identity.</summary>
    public string? AccountName { get; set; }

    /// <summary>The user-assigned identity to sign in with; null for the environment's default.</summary>
    public string? ClientId { get; set; }

    /// <summary>The prefix of the task hub's queues, tables and containers: 3 to 45 letters and digits.</summary>
    public string TaskHubName { get; set; } = "Runbooks";
}

/// <summary>Messages about settings that cannot work: with the remedy, and never with the connection string itself.</summary>
internal sealed partial class StorageAccountOptionsRules : IValidateOptions<StorageAccountOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageAccountOptions options) =>
        FindProblem(options) is { } why ? ValidateOptionsResult.Fail(why) : ValidateOptionsResult.Success;

    private static string? FindProblem(StorageAccountOptions options) => options switch
    {
        { ConnectionString: null, AccountName: null } =>
            "There is no storage account: set Storage:ConnectionString, or Storage:AccountName and give the process a managed identity.",
        { ConnectionString: not null, AccountName: not null } => "Storage:ConnectionString and Storage:AccountName are both set: remove one of them.",
        { ConnectionString: { } connection } when !IsUsable(connection) =>
            "Storage:ConnectionString is not the connection string of a storage account: copy it from the account's access keys.",
        { AccountName: { } account } when !Account().IsMatch(account) =>
            "Storage:AccountName has to be the bare name of an account: 3 to 24 small letters and digits.",
        _ when !Hub().IsMatch(options.TaskHubName) => "Storage:TaskHubName has to be 3 to 45 letters and digits, beginning with a letter.",
        _ => null,
    };

    private static bool IsUsable(string connection)
    {
        try
        {
            _ = (new BlobServiceClient(connection), new QueueServiceClient(connection), new TableServiceClient(connection));
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    [GeneratedRegex("^[a-z0-9]{3,24}$", RegexOptions.NonBacktracking)]
    private static partial Regex Account();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9]{2,44}$", RegexOptions.NonBacktracking)]
    private static partial Regex Hub();
}

internal static class StorageIdentity
{
    /// <param name="clientId">A user-assigned identity: of the pod's service account in AKS, otherwise of the machine or the app.</param>
    public static TokenCredential For(string? clientId) => clientId is null
        ? new DefaultAzureCredential()
        : new ChainedTokenCredential(
            new WorkloadIdentityCredential(new WorkloadIdentityCredentialOptions { ClientId = clientId }),
            new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId)));
}

/// <summary>
/// Secrets that all processes on one account share. The first process that needs one makes it, as a blob in a private container. Everybody
/// who may read the account's blobs may read them.
/// </summary>
public sealed class SharedKeys
{
    /// <summary>When a blob in it is deleted, the next start makes that key again.</summary>
    public const string Container = "runbook-keys";

    private readonly BlobFiles _blobs;

    internal SharedKeys(AzureStorageClients clients) => _blobs = clients.Container(Container);

    /// <param name="make">Called where there is no such key. When two processes make it at once, both get the same one.</param>
    /// <exception cref="Model.Storage.StoreUnavailableException">The account does not answer.</exception>
    public async Task<string> FindOrMakeAsync(string name, Func<string> make, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await _blobs.ReadAsync(name, cancellationToken) is { } content)
            {
                return content.ToString();
            }

            var made = make();
            using var text = new MemoryStream(Encoding.UTF8.GetBytes(made));
            if (await _blobs.AddAsync(name, text, cancellationToken))
            {
                return made;
            }
        }
    }
}
