using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>Evidence as steps keep it: a pod's log may say anything, and whoever reads it later need not learn its secrets.</summary>
internal sealed class RedactedEvidence(IEvidenceStore store) : IEvidenceStore
{
    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        await using var redacted = new RedactedText(content);
        return await store.SaveAsync(incidentId, name, redacted, cancellationToken);
    }

    public Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) => store.OpenAsync(reference, cancellationToken);

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken) => store.DeleteAsync(incidentId, cancellationToken);
}
