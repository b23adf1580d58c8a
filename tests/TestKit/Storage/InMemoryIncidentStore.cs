using System.Globalization;
using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace TestKit.Storage;

/// <summary>Keeps the contract of <see cref="IIncidentStore"/> in memory, and can be made to fail as a real one does.</summary>
public sealed class InMemoryIncidentStore : IIncidentStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Incident> _incidents = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Runbook, string Target), string> _latest = [];
    private readonly Dictionary<string, Runbook> _runbooks = new(StringComparer.Ordinal);

    /// <summary>In order of opening: the last one is the newest.</summary>
    private readonly List<string> _order = [];

    /// <summary>While not null, every call throws what this returns.</summary>
    public Func<Exception>? Fault { get; set; }

    /// <summary>The incident whose document this version cannot read; listings show it.</summary>
    public string? Unreadable { get; set; }

    /// <summary>How often something was written.</summary>
    public int Writes { get; private set; }

    /// <summary>How often one was read whole by its id.</summary>
    public int Reads { get; private set; }

    /// <summary>What a listing waits for.</summary>
    public Func<CancellationToken, Task> BeforeListing { get; set; } = _ => Task.CompletedTask;

    /// <summary>What a listing says of an incident, as an older version may have written it down.</summary>
    public Func<IncidentSummary, IncidentSummary> AsListed { get; set; } = summary => summary;

    /// <summary>Every listing that was asked for.</summary>
    public List<IncidentQuery> Listings { get; } = [];

    public IReadOnlyList<Incident> All => Locked(() => _order.ConvertAll(id => _incidents[id]));

    public Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken) =>
        DoAsync(
            () =>
            {
                var key = (candidate.RunbookId, candidate.TargetKey);
                var decided = _latest.TryGetValue(key, out var id) ? fold(_incidents[id]) : null;
                if (decided?.Id == id && decided is not null)
                {
                    Write(decided);
                    return new OpenResult(decided, Opened: false);
                }

                if (_incidents.ContainsKey(candidate.Id))
                {
                    throw new InvalidOperationException($"There is an incident '{candidate.Id}' already.");
                }

                _order.Add(candidate.Id);
                _latest[key] = candidate.Id;
                _runbooks[runbook.Hash] = runbook;
                Write(decided ?? candidate);
                return new OpenResult(decided ?? candidate, Opened: true);
            },
            cancellationToken);

    public Task<Incident?> FindAsync(string id, CancellationToken cancellationToken) =>
        DoAsync(
            () =>
            {
                Reads++;
                return Read(id);
            },
            cancellationToken);

    public Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken) =>
        DoAsync(() => _latest.TryGetValue((runbookId, targetKey), out var id) ? Read(id) : null, cancellationToken);

    public Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken) =>
        DoAsync<IReadOnlyList<IncidentSummary>>(
            () => [.. _order.AsEnumerable().Reverse().Select(id => _incidents[id]).Where(incident => incident.Identities.Contains(identity)).Select(IncidentSummary.Of)],
            cancellationToken);

    public Task<(Incident Incident, T Result)> UpdateAsync<T>(
        string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken) =>
        DoAsync(
            () =>
            {
                var before = Read(id) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");
                var (after, result) = change(before);
                if (!ReferenceEquals(before, after))
                {
                    Write(after);
                }

                return (after, result);
            },
            cancellationToken);

    public async Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken)
    {
        await BeforeListing(cancellationToken);
        return await DoAsync(
            () =>
            {
                Listings.Add(query);
                var before = query.After is { } cursor ? int.TryParse(IncidentCursor.Parse(cursor).Tie, CultureInfo.InvariantCulture, out var place) ? Math.Clamp(place, 0, _order.Count) : 0 : _order.Count;
                var found = Enumerable.Range(0, before)
                    .Reverse()
                    .Where(index => Matches(query, _incidents[_order[index]]))
                    .Take(query.Limit + 1)
                    .ToList();
                var shown = found.Take(query.Limit).ToList();
                return new IncidentPage(
                    shown.ConvertAll(index => AsListed(IncidentSummary.Of(_incidents[_order[index]]))),
                    found.Count > shown.Count ? CursorAt(shown[^1]) : null);
            },
            cancellationToken);
    }

    public Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken) =>
        DoAsync<IReadOnlyDictionary<IncidentState, int>?>(() => _incidents.Values.CountBy(incident => incident.State).ToDictionary(), cancellationToken);

    public Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) =>
        DoAsync(() => _runbooks.GetValueOrDefault(hash), cancellationToken);

    public async Task<IReadOnlyList<string>> PurgeAsync(DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken)
    {
        var gone = new List<string>();
        foreach (var id in await DoAsync(() => _order.FindAll(id => _incidents[id].ClosedAt < endedBefore), cancellationToken))
        {
            if (await removeRest(id, cancellationToken))
            {
                gone.Add(id);
            }
        }

        return await RemoveAsync(gone, cancellationToken);
    }

    private Task<IReadOnlyList<string>> RemoveAsync(List<string> ended, CancellationToken cancellationToken) =>
        DoAsync<IReadOnlyList<string>>(
            () =>
            {
                _order.RemoveAll(ended.Contains);
                foreach (var id in ended)
                {
                    _incidents.Remove(id, out var gone);
                    var key = (gone!.RunbookId, gone.TargetKey);
                    if (_latest.GetValueOrDefault(key) == id)
                    {
                        _latest.Remove(key);
                    }
                }

                return ended;
            },
            cancellationToken);

    public string? Damage { get; set; }

    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => Task.FromResult(Fault?.Invoke().Message);

    private string CursorAt(int index) => new IncidentCursor(_incidents[_order[index]].OpenedAt, index.ToString(CultureInfo.InvariantCulture)).ToString();

    private static bool Matches(IncidentQuery query, Incident incident) =>
        (query.State is not { } state || incident.State == state)
        && (query.RunbookId is not { } runbook || incident.RunbookId == runbook)
        && (query.Since is not { } since || incident.OpenedAt >= since)
        && (query.Open is not { } open || incident.State.IsFinal() != open)
        && query.Fits(IncidentSummary.Of(incident));

    private Incident? Read(string id) => id == Unreadable ? throw new JsonException("An unknown word.") : _incidents.GetValueOrDefault(id);

    private void Write(Incident incident)
    {
        _incidents[incident.Id] = incident;
        Writes++;
    }

    private T Locked<T>(Func<T> work)
    {
        lock (_lock)
        {
            return work();
        }
    }

    private async Task<T> DoAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        // A caller that counts on the answer being there at once would break on a real store.
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        return Fault is { } fault ? throw fault() : Locked(work);
    }
}
