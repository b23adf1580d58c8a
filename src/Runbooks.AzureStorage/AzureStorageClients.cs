using Azure.Core;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

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
