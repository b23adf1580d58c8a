using System.ComponentModel.DataAnnotations;
using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;
using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Model.Storage;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Settings;

namespace Runbooks.AzureStorage;

/// <summary>The SDK's clients for one account. They retry throttling and network faults themselves, a few times.</summary>
internal sealed class AzureStorageClients
{
    private readonly TableServiceClient _tables;
    private readonly BlobServiceClient _blobs;

    /// <param name="configure">Lets tests watch or break the traffic.</param>
    public AzureStorageClients(AzureStorageOptions options, Action<ClientOptions>? configure = null)
    {
        var (tableOptions, blobOptions) = (new TableClientOptions(), new BlobClientOptions());
        foreach (var client in (ClientOptions[])[tableOptions, blobOptions])
        {
            // Whoever waits has about ten seconds: rather a clear 503 in time than a late success.
            client.Retry.MaxRetries = 3;
            client.Retry.Delay = TimeSpan.FromMilliseconds(200);
            client.Retry.MaxDelay = TimeSpan.FromSeconds(2);
            client.Retry.NetworkTimeout = TimeSpan.FromSeconds(5);
            configure?.Invoke(client);
        }

        if (options.ConnectionString is { } connection)
        {
            (_tables, _blobs) = (new(connection, tableOptions), new(connection, blobOptions));
        }
        else
        {
            var credential = StorageIdentity.For(options.ClientId);
            (_tables, _blobs) = (new(options.TableServiceUri, credential, tableOptions), new(options.BlobServiceUri, credential, blobOptions));
        }
    }

    public TableRows Table(string name) => new(_tables.GetTableClient(name));

    public BlobFiles Container(string name) => new(_blobs.GetBlobContainerClient(name));
}

/// <summary>Section <c>AzureStorage</c>: either a connection string, or the two addresses and an identity.</summary>
public sealed class AzureStorageOptions : IValidatableObject
{
    public const string SectionName = "AzureStorage";

    /// <summary>For development; in Azure prefer the addresses, which need no secret.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    public Uri? BlobServiceUri { get; set; }

    public Uri? TableServiceUri { get; set; }

    /// <summary>The user-assigned identity to sign in with; null for whatever the environment offers.</summary>
    public string? ClientId { get; set; }

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{2,62}$")]
    public string IncidentTable { get; set; } = "runbookincidents";

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{2,62}$")]
    public string StateTable { get; set; } = "runbookstate";

    [RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    public string EvidenceContainer { get; set; } = "evidence";

    /// <summary>Where a record goes that is too large for a table.</summary>
    [RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    public string DocumentContainer { get; set; } = "documents";

    /// <summary>Takes the account from the other section; the names of tables and containers stay.</summary>
    internal void Use(StorageOptions storage)
    {
        (ConnectionString, ClientId) = (storage.ConnectionString, storage.ClientId);
        if (storage.AccountName is { } account)
        {
            BlobServiceUri = new Uri($"https://{account}.blob.core.windows.net/");
            TableServiceUri = new Uri($"https://{account}.table.core.windows.net/");
        }
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ConnectionString is null != (BlobServiceUri is not null && TableServiceUri is not null))
        {
            yield return new ValidationResult(
                $"{SectionName} needs either ConnectionString, or both BlobServiceUri and TableServiceUri.",
                [nameof(ConnectionString), nameof(BlobServiceUri), nameof(TableServiceUri)]);
        }
    }
}

public static class AzureStorageServices
{
    /// <summary>Incidents and shared state in Azure Tables, evidence in Azure Blobs; configured by the section <c>AzureStorage</c>.</summary>
    public static IServiceCollection AddAzureStorage(this IServiceCollection services)
    {
        services.AddSettings<AzureStorageOptions>(AzureStorageOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services.AddStores();
    }

    /// <summary>
    /// Everything in one account that several processes share: the stores, and the task hub of
    /// <see cref="TaskHubServices.AddTaskHub"/>; configured by the section <c>Storage</c>.
    /// </summary>
    public static IServiceCollection AddStorageAccount(this IServiceCollection services)
    {
        services.AddSettings<StorageOptions>(StorageOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StorageOptions>, StorageOptionsRules>());
        services.AddOptions<AzureStorageOptions>().Configure<IOptions<StorageOptions>>((stores, storage) => stores.Use(storage.Value));
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

    /// <summary>Reads what was published to a container of the same account.</summary>
    public static IServiceCollection AddPublishedFiles(this IServiceCollection services) =>
        services.AddSingleton(provider => new PublishedFiles(Clients(provider)));

    private static IServiceCollection AddStores(this IServiceCollection services) => services
        .AddSingleton(provider => new AzureStorageClients(Options(provider)))
        .AddSingleton<IIncidentStore>(provider => new TableIncidentStore(Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<ISharedState>(provider => new TableSharedState(Clients(provider), Options(provider), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<IEvidenceStore>(provider => new BlobEvidenceStore(Clients(provider).Container(Options(provider).EvidenceContainer)));

    private static AzureOrchestrationService CreateHub(IServiceProvider provider)
    {
        var (redeliveries, log) = (new RedeliveryCounts(), new HubLog(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        var inner = AzureTaskHub.Create(provider.GetRequiredService<IOptions<StorageOptions>>().Value, provider.GetRequiredService<TaskHubTimes>(), redeliveries, log);
        var attempts = new TurnAttempts(Clients(provider).Table(Options(provider).StateTable));
        var service = new AzureOrchestrationService(inner, redeliveries, attempts, provider.GetRequiredService<TaskHubOptions>(), log);

        // Before the worker stops asking for work: what is taken from a queue after that would stay locked, and nobody would do it.
        provider.GetService<IHostApplicationLifetime>()?.ApplicationStopping.Register(() => _ = service.StopAsync(isForced: false));
        return service;
    }

    private static AzureStorageClients Clients(IServiceProvider provider) => provider.GetRequiredService<AzureStorageClients>();

    private static AzureStorageOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<AzureStorageOptions>>().Value;
}

/// <summary>
/// What remains when the SDK has given up: throttling, no network, no permission. All of it is "not now" to a caller,
/// and a sender that is told so tries again.
/// </summary>
internal static class AzureStorageErrors
{
    /// <exception cref="StoreUnavailableException">Azure Storage did not do it.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (Describe(e, cancellationToken) is { } fault)
        {
            throw new StoreUnavailableException($"Azure Storage {fault}.", e);
        }
    }

    /// <inheritdoc cref="GuardAsync{T}"/>
    public static async Task GuardAsync(Func<Task> call, CancellationToken cancellationToken) => await GuardAsync(
        async () =>
        {
            await call();
            return true;
        },
        cancellationToken);

    /// <summary>Whether the same call may succeed later, with nothing changed but time.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        RequestFailedException failed => failed.Status is 0 or 403 or 408 or 429 or >= 500,
        AggregateException { InnerExceptions: [.., var last] } => IsPassing(last),
        HttpRequestException or AuthenticationFailedException or OperationCanceledException => true,
        { InnerException: { } inner } => IsPassing(inner),
        _ => false,
    };

    // The messages of the SDK carry whole responses: status and code say enough.
    private static string? Describe(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        RequestFailedException { Status: 0 } or HttpRequestException => "cannot be reached",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationPermissionMismatch" } =>
            "refuses this identity: it lacks the role Storage Table Data Contributor, Storage Blob Data Owner or Storage Queue Data Contributor on the account",
        RequestFailedException { Status: 403, ErrorCode: "AuthenticationFailed" or "InvalidAuthenticationInfo" } => "does not take the account's key: check the connection string",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationFailure" } => "does not let this machine in: check the account's firewall and network rules, and the key",
        RequestFailedException failed => $"answered {failed.Status} {failed.ErrorCode}",
        AuthenticationFailedException => "cannot be signed in to: check the identity and its role assignments",
        AggregateException { InnerExceptions: [.., var last] } => Describe(last, cancellationToken),
        OperationCanceledException when !cancellationToken.IsCancellationRequested => "did not answer in time",

        // Durable Task wraps what the SDK throws into an exception of its own.
        { InnerException: RequestFailedException inner } => Describe(inner, cancellationToken),
        _ => null,
    };
}
