using System.ComponentModel.DataAnnotations;
using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;
using Runbooks.Catalog.Parameters;

namespace Runbooks.AzureStorage;

/// <summary>The SDK's clients for one account. They retry throttling and network faults a few times.</summary>
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
            client.GiveUpSoon();
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

    public BlobRuleSetPlace RuleSet(string name) => new(_blobs.GetBlobContainerClient(name));
}

internal static class ClientPatience
{
    /// <summary>
    /// Callers wait about ten seconds, so a clear 503 in time is better than a late success. And a connection that hangs must not outlast the
    /// locks of a task hub.
    /// </summary>
    public static void GiveUpSoon(this ClientOptions client)
    {
        client.Retry.MaxRetries = 3;
        client.Retry.Delay = TimeSpan.FromMilliseconds(200);
        client.Retry.MaxDelay = TimeSpan.FromSeconds(2);
        client.Retry.NetworkTimeout = TimeSpan.FromSeconds(5);
    }
}

/// <summary>Section <c>AzureStorage</c>: either a connection string, or the two addresses and an identity.</summary>
public sealed class AzureStorageOptions : IValidatableObject
{
    public const string SectionName = "AzureStorage";

    /// <summary>For development. In Azure prefer the addresses, which need no secret.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    public Uri? BlobServiceUri { get; set; }

    public Uri? TableServiceUri { get; set; }

    /// <summary>The user-assigned identity to sign in with; null for the environment's default.</summary>
    public string? ClientId { get; set; }

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{2,62}$")]
    public string IncidentTable { get; set; } = "runbookincidents";

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{2,62}$")]
    public string StateTable { get; set; } = "runbookstate";

    [RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    public string EvidenceContainer { get; set; } = "evidence";

    /// <summary>For records that are too large for a table.</summary>
    [RegularExpression("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    public string DocumentContainer { get; set; } = "documents";

    /// <summary>Takes the account from the other section; the names of tables and containers stay.</summary>
    internal void Use(StorageAccountOptions storage)
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

/// <summary>
/// Failures after the SDK's retries: throttling, no network, no permission. All of them mean "not now" to a caller, and a sender then tries
/// again.
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

    /// <summary>Whether the same call may succeed later without any change.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        RequestFailedException failed => failed.Status is 0 or 403 or 408 or 429 or >= 500,
        AggregateException { InnerExceptions: [.., var last] } => IsPassing(last),
        HttpRequestException or AuthenticationFailedException or OperationCanceledException => true,
        { InnerException: { } inner } => IsPassing(inner),
        _ => false,
    };

    // Only status and code, since the SDK's messages have whole responses in them.
    private static string? Describe(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        RequestFailedException { Status: 0 } or HttpRequestException => "cannot be reached",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationPermissionMismatch" } =>
            "refuses this identity: it lacks the role Storage Table Data Contributor, "
                + "Storage Blob Data Owner or Storage Queue Data Contributor on the account",
        RequestFailedException { Status: 403, ErrorCode: "AuthenticationFailed" or "InvalidAuthenticationInfo" } => "does not take the account's key: check the connection string",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationFailure" } => "does not let this machine in: check the account's firewall and network rules, and the key",
        RequestFailedException failed => $"answered {failed.Status} {failed.ErrorCode}",
        AuthenticationFailedException => "cannot be signed in to: check the identity and its role assignments",
        AggregateException { InnerExceptions: [.., var last] } => Describe(last, cancellationToken),
        OperationCanceledException when !cancellationToken.IsCancellationRequested => "did not answer in time",

        // Durable Task wraps the SDK's exceptions into one of its own.
        { InnerException: RequestFailedException inner } => Describe(inner, cancellationToken),
        _ => null,
    };
}

/// <summary>Tries in parallel what health depends on, without waiting for all retries of the SDK.</summary>
internal static class StorageHealth
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(8);

    public static async Task<string?> FindTroubleAsync(
        IEnumerable<(string What, Func<Task> Try)> parts, TimeProvider time, CancellationToken cancellationToken)
    {
        var troubles = await Task.WhenAll(parts.Select(part => FindTroubleAsync(part.What, part.Try, time, cancellationToken)));
        return string.Join(' ', troubles.OfType<string>()) is { Length: > 0 } words ? words : null;
    }

    private static async Task<string?> FindTroubleAsync(string what, Func<Task> attempt, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await attempt().WaitAsync(s_longest, time, cancellationToken);
            return null;
        }
        catch (StoreUnavailableException e)
        {
            return $"{what}: {e.Message}";
        }
        catch (TimeoutException)
        {
            return $"{what}: Azure Storage did not answer in time.";
        }
    }
}
