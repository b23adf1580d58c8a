using System.Runtime.CompilerServices;
using System.Text.Json;
using Runbooks.Model.Incidents;

namespace Runbooks.Model.Storage;

/// <summary>Stores incidents and knows none of their rules. Every method returns only when its result is durable.</summary>
public interface IIncidentStore
{
    /// <summary>
    /// In one atomic step, either <paramref name="fold"/> changes the latest incident of the same runbook and target, or
    /// <paramref name="candidate"/> is inserted and becomes the latest.
    /// </summary>
    /// <param name="runbook">Kept by its hash, so that the incident can be finished with the version that it started with.</param>
    /// <param name="fold">Returns the latest incident, changed, or the candidate with additions from the latest, which is then opened. Null
    /// opens the candidate as it is. May run more than once.</param>
    Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken);

    Task<Incident?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// The record may be some seconds old. For callers that need only what never changes, such as the alert and the target, or that have
    /// just seen it.
    /// </summary>
    Task<Incident?> FindCachedAsync(string id, CancellationToken cancellationToken) => FindAsync(id, cancellationToken);

    /// <summary>The newest incident, open or closed.</summary>
    /// <param name="targetKey">The target as it is compared, see <see cref="TargetKey"/>.</param>
    Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken);

    /// <summary>
    /// The incidents that an alert of this identity reached, open or closed, newest first. If there are very many, only the newest.
    /// </summary>
    Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken);

    /// <summary>
    /// Reads, changes and writes atomically. <paramref name="change"/> is pure and may run more than once. If it returns the same instance,
    /// nothing is written.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such incident.</exception>
    Task<(Incident Incident, T Result)> UpdateAsync<T>(string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken);

    /// <summary>Newest first.</summary>
    Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken);

    /// <summary>States without incidents may be missing.</summary>
    /// <returns>Null if they would have to be read one by one.</returns>
    Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken);

    /// <summary>Counts without reading the incidents. One that has just ended, or is just being opened, may be counted too.</summary>
    /// <param name="most">More are not counted.</param>
    async Task<int> CountOpenedAsync(DateTimeOffset since, int most, CancellationToken cancellationToken) =>
        (await ListAsync(new IncidentQuery(Open: true, Since: since, Limit: most), cancellationToken)).Items.Count;

    /// <summary>Null if no incident was ever opened with this version.</summary>
    Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Removes each incident after everything else that is kept of it.</summary>
    /// <param name="removeRest">False keeps the record, so that the next purge tries again.</param>
    /// <returns>The ids of the removed incidents.</returns>
    Task<IReadOnlyList<string>> PurgeAsync(DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken);

    /// <summary>Null if it can read and write. Otherwise the problem, in words.</summary>
    Task<string?> CheckHealthAsync(CancellationToken cancellationToken);

    /// <summary>Damage that was found, in words with the remedy. Null for none. Reading and writing the rest still works.</summary>
    string? Damage => null;
}

public static class IncidentStoreExtensions
{
    /// <inheritdoc cref="IIncidentStore.UpdateAsync{T}"/>
    public static async Task<Incident> UpdateAsync(
        this IIncidentStore store, string id, Func<Incident, Incident> change, CancellationToken cancellationToken) =>
        (await store.UpdateAsync(id, incident => (change(incident), true), cancellationToken)).Incident;

    public static async IAsyncEnumerable<IncidentSummary> ListAllAsync(
        this IIncidentStore store, IncidentQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = query;
        while (true)
        {
            var page = await store.ListAsync(next, cancellationToken);
            foreach (var item in page.Items)
            {
                yield return item;
            }

            if (page.Next is null)
            {
                yield break;
            }

            next = next with { After = page.Next };
        }
    }

    /// <summary>Finds an incident for work that one unreadable record must not stop. The watchdog reports unreadable records.</summary>
    /// <returns>Null also if this version cannot read it.</returns>
    public static Task<Incident?> TryFindAsync(this IIncidentStore store, string id, CancellationToken cancellationToken) =>
        TryReadAsync(store.FindAsync(id, cancellationToken));

    /// <inheritdoc cref="IIncidentStore.FindLatestAsync"/>
    /// <inheritdoc cref="TryFindAsync"/>
    public static Task<Incident?> TryFindLatestAsync(
        this IIncidentStore store, string runbookId, string targetKey, CancellationToken cancellationToken) =>
        TryReadAsync(store.FindLatestAsync(runbookId, targetKey, cancellationToken));

    /// <inheritdoc cref="IIncidentStore.FindCachedAsync"/>
    /// <exception cref="KeyNotFoundException">There is no such incident.</exception>
    public static async Task<Incident> GetCachedAsync(this IIncidentStore store, string id, CancellationToken cancellationToken) =>
        await store.FindCachedAsync(id, cancellationToken) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");

    /// <exception cref="KeyNotFoundException">There is no such incident.</exception>
    public static async Task<Incident> GetAsync(this IIncidentStore store, string id, CancellationToken cancellationToken) =>
        await store.FindAsync(id, cancellationToken) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");

    /// <summary>Whether this version cannot read the record: a newer one wrote it, or it is damaged. A retry does not help.</summary>
    public static bool IsUnreadable(Exception failure) => failure is JsonException or InvalidDataException;

    private static async Task<Incident?> TryReadAsync(Task<Incident?> reading)
    {
        try
        {
            return await reading;
        }
        catch (Exception failure) when (IsUnreadable(failure))
        {
            return null;
        }
    }
}

/// <param name="Opened">True if the candidate was inserted, false if it was folded into <paramref name="Incident"/>.</param>
public sealed record OpenResult(Incident Incident, bool Opened);

/// <summary>
/// The store cannot read or write: disk full, an I/O error, throttling, no network, or the host is stopping. A sender gets 503 and tries
/// again.
/// </summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A growing number outside the store. If the store is restored to an earlier time, the number shows it.</summary>
public interface IGenerationWitness
{
    /// <returns>Null if none was written, or if it cannot be read.</returns>
    Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Durable once it returns.</summary>
    Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken);
}

/// <param name="Mark">Tells this write from a copy of it. Null if the place cannot.</param>
public sealed record WitnessedGeneration(long Number, string? Mark);
