namespace Runbooks.Model.Storage;

/// <summary>Keeps what is too large or too delicate for an incident's record: logs, forensic bundles.</summary>
public interface IEvidenceStore
{
    /// <summary>Keeps the content under a name made of both parts; the same name again replaces it.</summary>
    /// <param name="name">Letters, digits, dot, dash and underscore; at most 100 characters.</param>
    /// <returns>The reference by which <see cref="OpenAsync"/> finds it: <c>{incident}/{name}</c>.</returns>
    Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken);

    /// <returns>Null when there is no such evidence.</returns>
    Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Removes all evidence of an incident.</summary>
    Task DeleteAsync(string incidentId, CancellationToken cancellationToken);
}
