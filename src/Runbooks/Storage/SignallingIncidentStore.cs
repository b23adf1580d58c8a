using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Storage;

/// <summary>Any store, which also tells <see cref="IncidentChanges"/> of what was written through it.</summary>
public sealed class SignallingIncidentStore(IIncidentStore store, IncidentChanges changes) : IIncidentStore
{
    public async Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken)
    {
        var result = await store.OpenAsync(candidate, runbook, fold, cancellationToken);
        changes.Publish(result.Incident.Id);
        return result;
    }

    public async Task<(Incident Incident, T Result)> UpdateAsync<T>(
        string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken)
    {
        var result = await store.UpdateAsync(id, change, cancellationToken);
        changes.Publish(id);
        return result;
    }

    public Task<Incident?> FindAsync(string id, CancellationToken cancellationToken) => store.FindAsync(id, cancellationToken);

    public Task<Incident?> FindLatestAsync(string runbookId, string target, CancellationToken cancellationToken) =>
        store.FindLatestAsync(runbookId, target, cancellationToken);

    public Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken) => store.ListAsync(query, cancellationToken);

    public Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) => store.FindRunbookAsync(hash, cancellationToken);

    public Task<IReadOnlyList<string>> PurgeAsync(DateTimeOffset endedBefore, CancellationToken cancellationToken) =>
        store.PurgeAsync(endedBefore, cancellationToken);

    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => store.CheckHealthAsync(cancellationToken);
}
