using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <summary>
/// Incidents in one Azure table. Every row is changed under its tag, so that any number of hosts may work at once. An incident opens in the
/// order index row, claim, own row; it closes in the order own row, index row. When a host dies in between, the next reader or opener
/// finishes it.
/// </summary>
internal sealed partial class TableIncidentStore : IIncidentStore
{
    private static readonly TimeSpan s_seenWithin = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, bool> _pinned = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly DocumentCache _lastSeen;
    private readonly TableRows _rows;
    private readonly TableDocuments _documents;
    private readonly IncidentRows _incidents;
    private readonly IncidentClaims _claims;
    private readonly IncidentIndex _index;
    private readonly AlertIndex _alerts;
    private readonly IncidentListing _listing;
    private readonly KeyedRetry _retry;
    private readonly ILogger<TableIncidentStore> _logger;

    public TableIncidentStore(AzureStorageClients clients, AzureStorageOptions options, TimeProvider time, ILogger<TableIncidentStore> logger)
    {
        _time = time;
        _logger = logger;
        _rows = clients.Table(options.IncidentTable);
        _documents = new(_rows, clients.Container(options.DocumentContainer));
        _lastSeen = new(512, time);
        _incidents = new(_rows, _documents, _lastSeen);
        _claims = new(_rows, _documents);
        _index = new(_rows);
        _alerts = new(_rows);
        _listing = new(_index, (row, token) => TryReadAsync(IncidentIndex.IdOf(row), () => ReadSummaryAsync(row, token)));
        _retry = new(time);
    }

    public Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken)
    {
        var key = TableKeys.Claim(candidate.RunbookId, candidate.TargetKey);
        return _retry.RetryAsync(key, () => TryOpenAsync(key, candidate, runbook, fold, cancellationToken), cancellationToken);
    }

    public async Task<Incident?> FindAsync(string id, CancellationToken cancellationToken) =>
        (await _incidents.FindAsync(TableKeys.Hash(id), cancellationToken))?.Value;

    public async Task<Incident?> FindCachedAsync(string id, CancellationToken cancellationToken) =>
        _lastSeen.Find<Incident>(TableKeys.Hash(id), s_seenWithin)?.Value ?? await FindAsync(id, cancellationToken);

    public async Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken) =>
        await _claims.FindAsync(TableKeys.Claim(runbookId, targetKey), cancellationToken) is { } claim
            ? (await FindClaimedAsync(claim.Key, claim.IncidentKey, cancellationToken))?.Value
            : null;

    public async Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken)
    {
        var rows = await _alerts.FindAsync(identity, cancellationToken);
        var found = await Task.WhenAll(rows.Select(row => TryReadAsync(
            IncidentIndex.IncidentKeyOf(row), () => ReadOfAlertAsync(row, cancellationToken))));
        return [.. found.OfType<IncidentSummary>()];
    }

    public async Task<(Incident Incident, T Result)> UpdateAsync<T>(
        string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken)
    {
        var key = TableKeys.Hash(id);
        var done = await _retry.RetryAsync(
            key,
            async () =>
            {
                if (_lastSeen.TryChange<Incident, T>(key, seen => change(seen!), out var seen, out var tried)
                    && await TryWriteAsync(seen, tried.Item1, cancellationToken))
                {
                    return Tuple.Create(tried.Item1, tried.Item2);
                }

                var before = await _incidents.FindAsync(key, cancellationToken) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");
                var (after, result) = change(before.Value);
                return await TryWriteAsync(before, after, cancellationToken) ? Tuple.Create(after, result) : null;
            },
            cancellationToken);
        return (done.Item1, done.Item2);
    }

    public Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken) => _listing.ListAsync(query, cancellationToken);

    /// <summary>The counts of ended incidents come from their index, change slowly, and are cached for a minute. Open ones are few, and read.</summary>
    public async Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken)
    {
        if (await CountEndedAsync(cancellationToken) is not { } ended)
        {
            return null;
        }

        var counts = ended.ToDictionary();
        await foreach (var open in this.ListAllAsync(new IncidentQuery(Open: true, Limit: 500), cancellationToken))
        {
            counts[open.State] = counts.GetValueOrDefault(open.State) + 1;
        }

        return counts;
    }

    public Task<int> CountOpenedAsync(DateTimeOffset since, int most, CancellationToken cancellationToken) =>
        _index.CountOpenAsync(since, most, cancellationToken);

    public async Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) =>
        (await _documents.FindAsync<Runbook>(TableKeys.Hash(hash), "runbook", cancellationToken))?.Value;

    /// <summary>A record that is too large for a row is in a blob.</summary>
    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => StorageHealth.FindTroubleAsync(
        [
            ("Tables", () => _rows.PutAsync(new TableEntity("health", "health"), cancellationToken)),
            ("Blobs", () => _documents.TryWritingAsync(cancellationToken)),
        ], _time, cancellationToken);

    /// <returns>Null when another writer was faster.</returns>
    private async Task<OpenResult?> TryOpenAsync(
        string key, Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken)
    {
        var claim = await _claims.FindAsync(key, cancellationToken);
        if (claim is not null)
        {
            if (_lastSeen.Find<Incident>(claim.IncidentKey) is { } seen
                && IsOfClaim(seen.Value, key)
                && fold(seen.Value) is { } joined
                && joined.Id == seen.Value.Id
                && !ReferenceEquals(joined, seen.Value)
                && await TryWriteAsync(seen, joined, cancellationToken))
            {
                return new(joined, Opened: false);
            }

            if (await FindClaimedAsync(key, claim.IncidentKey, cancellationToken) is not { } latest)
            {
                return null;
            }

            if (fold(latest.Value) is { } decided)
            {
                if (decided.Id == latest.Value.Id)
                {
                    return await TryWriteAsync(latest, decided, cancellationToken) ? new(decided, Opened: false) : null;
                }

                candidate = decided;
            }
        }

        await Task.WhenAll(
            PinAsync(runbook, cancellationToken),
            _index.PutAsync(IncidentSummary.Of(candidate), cancellationToken),
            _alerts.PutAsync(candidate, candidate.Identities, cancellationToken));
        if (!await _claims.TakeAsync(key, candidate, claim, cancellationToken))
        {
            await LeaveIndexesAsync(candidate, cancellationToken);
            return null;
        }

        // Not added: somebody found the claim meanwhile and wrote the incident from it. Or the id is taken, which is too rare to check first.
        if (!await _incidents.AddAsync(candidate, cancellationToken)
            && await _incidents.FindAsync(TableKeys.Hash(candidate.Id), cancellationToken) is { } there && !IsSame(there.Value, candidate))
        {
            await _claims.GiveBackAsync(key, candidate, claim, cancellationToken);
            await LeaveIndexesAsync(candidate, cancellationToken);
            await Task.WhenAll(
                _index.PutAsync(IncidentSummary.Of(there.Value), cancellationToken),
                _alerts.PutAsync(there.Value, there.Value.Identities, cancellationToken));
            throw new InvalidOperationException($"There is an incident '{candidate.Id}' already.");
        }

        return new(candidate, Opened: true);
    }

    private async Task<bool> TryWriteAsync(TableDocument<Incident> before, Incident after, CancellationToken cancellationToken)
    {
        if (ReferenceEquals(before.Value, after))
        {
            return true;
        }

        if (!ReferenceEquals(before.Value.Alerts, after.Alerts))
        {
            await _alerts.PutAsync(after, after.Identities.Except(before.Value.Identities), cancellationToken);
        }

        await BlankRowsAsync(before, after, cancellationToken);

        // Before the write: a change that leaves the incident to people again right after it puts the row again.
        var left = before.Value.IsUnfinished && !after.IsUnfinished ? await _index.FindLeftAsync(IncidentSummary.Of(after), cancellationToken) : null;
        if (!await _incidents.ReplaceAsync(before, after, cancellationToken))
        {
            return false;
        }

        await (left is null ? Task.CompletedTask : _index.RemoveUnchangedAsync(left, cancellationToken));

        if (before.Value.State.IsFinal() != after.State.IsFinal())
        {
            await _index.MoveAsync(IncidentSummary.Of(after), cancellationToken);
        }

        return true;
    }

    /// <summary>Before a marked incident is changed, since its rows would no longer be true.</summary>
    private async Task BlankRowsAsync(TableDocument<Incident> before, Incident after, CancellationToken cancellationToken)
    {
        if (before.IsListed)
        {
            await _index.PutAsync(IncidentSummary.Of(before.Value), cancellationToken);
        }

        if (before.Value.IsUnfinished ? before.IsListed : after.IsUnfinished)
        {
            await _index.PutLeftAsync(IncidentSummary.Of(after), cancellationToken);
        }
    }

    private async Task PinAsync(Runbook runbook, CancellationToken cancellationToken)
    {
        if (!_pinned.ContainsKey(runbook.Hash))
        {
            await _documents.AddAsync(new TableEntity(TableKeys.Hash(runbook.Hash), "runbook"), runbook, cancellationToken);
            _pinned[runbook.Hash] = true;
        }
    }
}
