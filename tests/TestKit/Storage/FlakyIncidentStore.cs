using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace TestKit.Storage;

/// <summary>
/// A store that breaks off now and then: before a change, or after it, so that the caller does not know. For code on
/// top of it that is the same as a crash between any two of its writes.
/// </summary>
public sealed class FlakyIncidentStore(IIncidentStore store, Func<FlakyIncidentStore.Fault> next) : IIncidentStore
{
    public enum Fault { None, Before, After }

    public Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken) =>
        store.OpenAsync(candidate, runbook, fold, cancellationToken);

    public Task<Incident?> FindAsync(string id, CancellationToken cancellationToken) => BreakAsync(() => store.FindAsync(id, cancellationToken));

    public Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken) =>
        BreakAsync(() => store.FindLatestAsync(runbookId, targetKey, cancellationToken));

    public Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken) =>
        BreakAsync(() => store.FindByAlertAsync(identity, cancellationToken));

    public Task<(Incident Incident, T Result)> UpdateAsync<T>(string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken) =>
        BreakAsync(() => store.UpdateAsync(id, change, cancellationToken));

    public Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken) => BreakAsync(() => store.ListAsync(query, cancellationToken));

    public Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken) => BreakAsync(() => store.CountAsync(cancellationToken));

    public Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) => BreakAsync(() => store.FindRunbookAsync(hash, cancellationToken));

    public Task<IReadOnlyList<string>> PurgeAsync(DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken) => store.PurgeAsync(endedBefore, removeRest, cancellationToken);

    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => store.CheckHealthAsync(cancellationToken);

    private async Task<T> BreakAsync<T>(Func<Task<T>> work)
    {
        var fault = next();
        if (fault == Fault.Before)
        {
            throw new StoreUnavailableException("broke off before");
        }

        var result = await work();
        return fault == Fault.After ? throw new StoreUnavailableException("broke off after") : result;
    }
}
