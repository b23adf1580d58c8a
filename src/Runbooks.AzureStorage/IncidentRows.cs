using Azure;
using Azure.Data.Tables;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>The rows of the incidents themselves, one partition each: the document, and beside it the summary.</summary>
internal sealed class IncidentRows(TableRows rows, TableDocuments documents)
{
    private const string Row = "incident";

    public Task<TableDocument<Incident>?> FindAsync(string key, CancellationToken cancellationToken) =>
        documents.FindAsync<Incident>(key, Row, cancellationToken);

    public async Task<(IncidentSummary Summary, ETag Tag)?> FindSummaryAsync(string key, CancellationToken cancellationToken) =>
        await rows.FindAsync(key, Row, PackedJson.Summary, cancellationToken) is { } found
        && PackedJson.Find<IncidentSummary>(found, PackedJson.Summary) is { } summary
            ? (summary, found.ETag)
            : null;

    /// <returns>False when there is such an incident.</returns>
    public Task<bool> AddAsync(Incident incident, CancellationToken cancellationToken) =>
        documents.AddAsync(Entity(incident), incident, cancellationToken);

    /// <returns>False when it was changed or removed since it was read.</returns>
    public Task<bool> ReplaceAsync(TableDocument<Incident> before, Incident incident, CancellationToken cancellationToken) =>
        documents.ReplaceAsync(Entity(incident), incident, before.Tag, before.Blob, cancellationToken);

    /// <returns>False when it was changed since it had this tag.</returns>
    public async Task<bool> RemoveAsync(string key, ETag tag, CancellationToken cancellationToken)
    {
        if (!await rows.RemoveAsync(key, Row, tag, cancellationToken))
        {
            return false;
        }

        await documents.RemoveBlobsAsync(key, cancellationToken);
        return true;
    }

    private static TableEntity Entity(Incident incident)
    {
        var entity = new TableEntity(TableKeys.Hash(incident.Id), Row);
        return PackedJson.TryPut(entity, PackedJson.Summary, PackedJson.Pack(IncidentSummary.Of(incident)))
            ? entity
            : throw new InvalidDataException("The title, target or reason of the incident is too long to be kept.");
    }
}
