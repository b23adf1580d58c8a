using System.Runtime.CompilerServices;
using System.Text.Json;
using Runbooks.Model.Incidents;

namespace Runbooks.Model.Storage;

/// <summary>
/// Where incidents are kept. It knows nothing of the rules: it opens, reads, changes atomically and lists. Every method
/// returns only when what it says is durable.
/// </summary>
public interface IIncidentStore
{
    /// <summary>
    /// The claim: in one atomic step, either <paramref name="fold"/> changes the latest incident of the same runbook
    /// and target, or <paramref name="candidate"/> is inserted and becomes the latest.
    /// </summary>
    /// <param name="runbook">Kept by its hash, so that the incident can be finished with the version it started with.</param>
    /// <param name="fold">
    /// Returns the latest incident, changed, or the candidate with what it has to know of the latest, which is then opened so; null opens it
    /// as it is. May run more than once.
    /// </param>
    Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken);

    Task<Incident?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="FindAsync"/>, but perhaps as this process saw it some seconds ago: for who needs only what an incident opens
    /// with, such as its alert and its target, and for who saw it in this very moment.
    /// </summary>
    Task<Incident?> FindCachedAsync(string id, CancellationToken cancellationToken) => FindAsync(id, cancellationToken);

    /// <summary>The newest incident of this runbook and target, open or closed.</summary>
    /// <param name="targetKey">The target as it is compared, see <see cref="TargetKey"/>.</param>
    Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken);

    /// <summary>The incidents that an alert of this identity reached, open or closed, newest first; of very many only the newest.</summary>
    Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken);

    /// <summary>
    /// Reads, changes and writes atomically; <paramref name="change"/> is pure and may run more than once. Returning the
    /// very same incident writes nothing.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such incident.</exception>
    Task<(Incident Incident, T Result)> UpdateAsync<T>(string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken);

    /// <summary>Newest first.</summary>
    Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken);

    /// <summary>How many incidents there are in each state; one that none is in may be left out.</summary>
    /// <returns>Null where they would have to be read one by one.</returns>
    Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken);

    /// <summary>
    /// How many incidents are open that opened since then, without reading them: one that has just ended, or is just being
    /// opened, may be counted too.
    /// </summary>
    /// <param name="most">More are not counted.</param>
    async Task<int> CountOpenedAsync(DateTimeOffset since, int most, CancellationToken cancellationToken) =>
        (await ListAsync(new IncidentQuery(Open: true, Since: since, Limit: most), cancellationToken)).Items.Count;

    /// <summary>The pinned version of a runbook; null when no incident was ever opened with it.</summary>
    Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Removes incidents that ended before the given time, each after everything else that is kept of it.</summary>
    /// <param name="removeRest">Removes what others keep of the incident. False keeps its record, so that the next time finds it.</param>
    /// <returns>The ids of those that are gone.</returns>
    Task<IReadOnlyList<string>> PurgeAsync(DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken);

    /// <summary>Null when it can read and write, otherwise what is wrong, in words.</summary>
    Task<string?> CheckHealthAsync(CancellationToken cancellationToken);

    /// <summary>Damage that was seen, in words with the remedy; null where none was. What can be read and written works all the same.</summary>
    string? Damage => null;
}

public static class IncidentStoreExtensions
{
    /// <inheritdoc cref="IIncidentStore.UpdateAsync{T}"/>
    public static async Task<Incident> UpdateAsync(this IIncidentStore store, string id, Func<Incident, Incident> change, CancellationToken cancellationToken) =>
        (await store.UpdateAsync(id, incident => (change(incident), true), cancellationToken)).Incident;

    /// <summary>Every page of a listing, one after the other.</summary>
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

    /// <summary>
    /// As <see cref="IIncidentStore.FindAsync"/>, for what is about others too: one that a newer version wrote, or that is damaged, keeps
    /// nothing from them. The watch looks at each by itself and says which it cannot read.
    /// </summary>
    /// <returns>Null also where this version cannot read it.</returns>
    public static Task<Incident?> TryFindAsync(this IIncidentStore store, string id, CancellationToken cancellationToken) =>
        TryReadAsync(store.FindAsync(id, cancellationToken));

    /// <inheritdoc cref="IIncidentStore.FindLatestAsync"/>
    /// <inheritdoc cref="TryFindAsync"/>
    public static Task<Incident?> TryFindLatestAsync(this IIncidentStore store, string runbookId, string targetKey, CancellationToken cancellationToken) =>
        TryReadAsync(store.FindLatestAsync(runbookId, targetKey, cancellationToken));

    /// <inheritdoc cref="IIncidentStore.FindCachedAsync"/>
    /// <exception cref="KeyNotFoundException">There is no such incident.</exception>
    public static async Task<Incident> GetCachedAsync(this IIncidentStore store, string id, CancellationToken cancellationToken) =>
        await store.FindCachedAsync(id, cancellationToken) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");

    /// <exception cref="KeyNotFoundException">There is no such incident.</exception>
    public static async Task<Incident> GetAsync(this IIncidentStore store, string id, CancellationToken cancellationToken) =>
        await store.FindAsync(id, cancellationToken) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");

    /// <summary>Whether reading failed since this version cannot read the record: a newer one wrote it, or it is damaged. Trying again does not help.</summary>
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

/// <summary>What a claim came to.</summary>
/// <param name="Opened">True when the candidate was inserted, false when it was folded into <paramref name="Incident"/>.</param>
public sealed record OpenResult(Incident Incident, bool Opened);

/// <summary>
/// What had to be durable could not be written or read: disk full, an I/O error, throttling, no network, the host is
/// stopping. A sender is answered 503 and tries again.
/// </summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A number that grows while the store is in use, kept outside of it: what puts the store back to an earlier time leaves this
/// behind, and so is noticed.
/// </summary>
public interface IGenerationWitness
{
    /// <returns>Null where none was ever written, or it cannot be read as one.</returns>
    Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Durable once it returns.</summary>
    /// <returns>As it is read back.</returns>
    Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken);
}

/// <param name="Mark">Tells this very writing from a copy of it; null where the place cannot.</param>
public sealed record WitnessedGeneration(long Number, string? Mark);
