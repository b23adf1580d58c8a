using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>Evidence as blobs, named by incident and name.</summary>
internal sealed class BlobEvidenceStore(BlobFiles blobs) : IEvidenceStore
{
    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        var evidence = EvidenceName.Of(incidentId, name);
        await blobs.PutAsync(evidence.ToString(), content, cancellationToken);
        return evidence.ToString();
    }

    public async Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) =>
        EvidenceName.Parse(reference) is { } evidence ? await blobs.FindAsync(evidence.ToString(), cancellationToken) : null;

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken) =>
        EvidenceName.IsName(incidentId) ? blobs.RemoveAllAsync($"{incidentId}/", cancellationToken) : Task.CompletedTask;
}
