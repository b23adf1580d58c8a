using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Model.Storage;
using TestKit;

[assembly: AssemblyFixture(typeof(Azurite))]

namespace Runbooks.AzureStorage.Tests;

internal sealed class AzureAccount
{
    private readonly AzureStorageOptions _options;

    /// <summary>Tables and containers of one test's own.</summary>
    public AzureAccount(Azurite azurite)
    {
        var name = $"t{Guid.NewGuid():N}";
        _options = new AzureStorageOptions
        {
            ConnectionString = azurite.ConnectionString,
            IncidentTable = $"i{name}",
            StateTable = $"s{name}",
            EvidenceContainer = $"e{name}",
            DocumentContainer = $"d{name}",
        };
    }

    public IIncidentStore Incidents(params HttpPipelinePolicy[] policies) => Incidents(TimeProvider.System, policies);

    public IIncidentStore Incidents(TimeProvider time, params HttpPipelinePolicy[] policies) =>
        new TableIncidentStore(Clients(policies), _options, time, NullLogger<TableIncidentStore>.Instance);

    /// <summary>The rows as they are kept.</summary>
    public TableClient IncidentTable() => new(_options.ConnectionString, _options.IncidentTable);

    /// <summary>As damage or another version of the program would: one property of the incident's own row.</summary>
    public Task WriteOverAsync(string incident, string property, byte[] value) => IncidentTable().UpdateEntityAsync(
        new TableEntity(TableKeys.Hash(incident), "incident") { [property] = value }, ETag.All, TableUpdateMode.Merge, TestContext.Current.CancellationToken);

    /// <summary>As somebody would who tidies up by hand.</summary>
    public async Task RemoveDocumentBlobsAsync()
    {
        var blobs = new BlobContainerClient(_options.ConnectionString, _options.DocumentContainer);
        await foreach (var blob in blobs.GetBlobsAsync(BlobTraits.None, BlobStates.None, "", TestContext.Current.CancellationToken))
        {
            await blobs.DeleteBlobAsync(blob.Name, cancellationToken: TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Writes the incidents' own rows, and none of an index.</summary>
    public IncidentRows IncidentRows()
    {
        var rows = Clients([]).Table(_options.IncidentTable);
        return new(rows, new TableDocuments(rows, Clients([]).Container(_options.DocumentContainer)), new DocumentCache(1, TimeProvider.System));
    }

    public TableRows IncidentRowsOf(params HttpPipelinePolicy[] policies) => Clients(policies).Table(_options.IncidentTable);

    public ISharedState State(params HttpPipelinePolicy[] policies) => new TableSharedState(Clients(policies), _options, TimeProvider.System);

    public IEvidenceStore Evidence() => new BlobEvidenceStore(Clients([]).Container(_options.EvidenceContainer));

    private AzureStorageClients Clients(HttpPipelinePolicy[] policies) => new(_options, client =>
    {
        client.Retry.Delay = TimeSpan.FromMilliseconds(1);
        client.Retry.MaxDelay = TimeSpan.FromMilliseconds(5);
        foreach (var policy in policies)
        {
            client.AddPolicy(policy, HttpPipelinePosition.PerRetry);
        }
    });
}
