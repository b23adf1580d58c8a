using Azure;
using Azure.Data.Tables;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>The rows of the incidents themselves, one partition each: the document, and beside it the summary.</summary>
internal sealed class IncidentRows(TableRows rows, TableDocuments documents, LastSeen lastSeen)
{
    private const string Row = "incident";

    public async Task<TableDocument<Incident>?> FindAsync(string key, CancellationToken cancellationToken) =>
        lastSeen.Note(key, await documents.FindAsync<Incident>(key, Row, cancellationToken));

    public async Task<(IncidentSummary Summary, ETag Tag)?> FindSummaryAsync(string key, CancellationToken cancellationToken) =>
        await rows.FindAsync(key, Row, PackedJson.Summary, cancellationToken) is { } found
        && PackedJson.Find<IncidentSummary>(found, PackedJson.Summary) is { } summary
            ? (summary, found.ETag)
            : null;

    /// <returns>False when there is such an incident.</returns>
    public async Task<bool> AddAsync(Incident incident, CancellationToken cancellationToken) =>
        lastSeen.Note(TableKeys.Hash(incident.Id), await documents.AddAsync(Entity(incident), incident, cancellationToken)) is not null;

    /// <returns>False when it was changed or removed since it was read.</returns>
    public async Task<bool> ReplaceAsync(TableDocument<Incident> before, Incident incident, CancellationToken cancellationToken) =>
        lastSeen.Note(TableKeys.Hash(incident.Id), await documents.ReplaceAsync(Entity(incident), incident, before.Tag, before.Blob, cancellationToken)) is not null;

    /// <summary>From now on whoever changes the incident blanks its rows in the indexes first. Whoever is changing it reads it again.</summary>
    /// <returns>False when it was changed or removed since it had this tag.</returns>
    public async Task<bool> TryMarkListedAsync(string key, ETag tag, CancellationToken cancellationToken)
    {
        lastSeen.Forget(key);
        return await rows.MergeAsync(new TableEntity(key, Row) { [TableDocuments.Listed] = true }, tag, cancellationToken) is not null;
    }

    /// <returns>False when it was changed since it had this tag.</returns>
    public async Task<bool> RemoveAsync(string key, ETag tag, CancellationToken cancellationToken)
    {
        lastSeen.Forget(key);
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

/// <summary>The claim on a runbook and target: which incident is its latest, and the tag under which another may follow.</summary>
internal sealed record IncidentClaim(string Key, string IncidentKey, ETag Tag);

/// <summary>
/// The row of a claim carries the new incident's first document, so that taking a claim and recording its incident is
/// one write: a crash right after it loses nothing, whoever comes next writes the incident's own row from it.
/// </summary>
internal sealed class IncidentClaims(TableRows rows, TableDocuments documents)
{
    private const string Row = "claim";
    private const string IncidentKey = "Incident";

    public async Task<IncidentClaim?> FindAsync(string key, CancellationToken cancellationToken) =>
        await rows.FindAsync(key, Row, [IncidentKey], cancellationToken) is { } found
            ? new(key, found.GetString(IncidentKey), found.ETag)
            : null;

    /// <returns>The first document of the incident that holds the claim.</returns>
    public async Task<Incident?> FindFirstDocumentAsync(string key, CancellationToken cancellationToken) =>
        (await documents.FindAsync<Incident>(key, Row, cancellationToken))?.Value;

    /// <summary>The new incident becomes the latest.</summary>
    /// <param name="before">The claim that it follows; null for the first.</param>
    /// <returns>False when another incident was quicker.</returns>
    public async Task<bool> TakeAsync(string key, Incident incident, IncidentClaim? before, CancellationToken cancellationToken)
    {
        var claim = new TableEntity(key, Row) { [IncidentKey] = TableKeys.Hash(incident.Id) };
        return (before is null
            ? await documents.AddAsync(claim, incident, cancellationToken)
            : await documents.ReplaceAsync(claim, incident, before.Tag, null, cancellationToken)) is not null;
    }

    /// <summary>The incident that took the claim is none after all: the one before it is the latest again.</summary>
    public async Task GiveBackAsync(string key, Incident incident, IncidentClaim? before, CancellationToken cancellationToken)
    {
        if (before is null)
        {
            await ReleaseAsync(key, TableKeys.Hash(incident.Id), cancellationToken);
        }
        else if (await FindAsync(key, cancellationToken) is { } claim && claim.IncidentKey == TableKeys.Hash(incident.Id))
        {
            await rows.ReplaceAsync(new TableEntity(key, Row) { [IncidentKey] = before.IncidentKey }, claim.Tag, cancellationToken);
        }
    }

    /// <summary>Gives the claim up if this incident still holds it.</summary>
    public async Task ReleaseAsync(string key, string incidentKey, CancellationToken cancellationToken)
    {
        if (await FindAsync(key, cancellationToken) is { } claim && claim.IncidentKey == incidentKey
            && await rows.RemoveAsync(key, Row, claim.Tag, cancellationToken))
        {
            await documents.RemoveBlobsAsync(key, cancellationToken);
        }
    }
}
