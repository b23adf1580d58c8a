using System.Globalization;
using Microsoft.Extensions.Options;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Notifications.Storms;

/// <summary>Knows the storms, over all hosts, and lets one sender at a time speak for each.</summary>
public sealed class StormRegistry(ISharedState state, IIncidentStore store, IOptionsMonitor<StormOptions> options, TimeProvider time)
{
    private const string Key = "storms:known";

    /// <summary>Of more that opened lately nothing needs to be known: there is a storm.</summary>
    private const int Scanned = 50;

    /// <summary>A storm goes on while incidents keep joining it; one that comes after so many times <see cref="StormOptions.Within"/> does not belong to it.</summary>
    private const int Lull = 5;

    /// <returns>Null when the incident asks by itself.</returns>
    public async Task<StormPlace?> JoinAsync(Incident incident, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var storm = options.CurrentValue;
        var lull = storm.Within * Lull;
        var asking = 0;
        if (!(await ListAsync(cancellationToken)).Any(known => now - known.LastJoined <= lull))
        {
            asking = await CountAskingAsync(now - storm.Within, storm.MoreThan + 1, cancellationToken);
            if (asking <= storm.MoreThan)
            {
                return null;
            }
        }

        return (await state.UpdateAsync<Known, StormPlace?>(
            Key,
            known =>
            {
                known ??= Known.None;
                var rank = AlertSeverity.RankOf(incident.WorstSeverity);
                if (known.Storms.Values.Where(old => now - old.LastJoined <= lull).MaxBy(old => old.LastJoined) is { } old)
                {
                    var worse = old.IsWorst(incident.Id, rank);
                    var joined = old.Join(incident.OpenedAt, now);
                    return (known.With(worse ? joined with { Worst = rank, WorstBy = incident.Id } : joined), new(old.Id, worse));
                }

                var fresh = new Storm(string.Create(CultureInfo.InvariantCulture, $"storm-{now.UtcDateTime:yyMMdd-HHmmss-fff}"), Storm.Earlier(incident.OpenedAt, now - storm.Within), now);
                return asking > storm.MoreThan ? (known.With(fresh), new(fresh.Id, AtOnce: false)) : (known, null);
            },
            cancellationToken)).Result;
    }

    /// <summary>How many incidents ask that opened lately, as far as it matters: many that open at once need not each look at all the others.</summary>
    private async Task<int> CountAskingAsync(DateTimeOffset since, int enough, CancellationToken cancellationToken)
    {
        var opened = await store.CountOpenedAsync(since, enough, cancellationToken);
        if (opened < enough)
        {
            return opened;
        }

        var recent = store.ListAllAsync(new IncidentQuery(Open: true, Since: since, Limit: enough), cancellationToken)
            .Take(Math.Max(Scanned, enough))
            // One that says what it waits for while it is diagnosed asks nobody: its checks see nothing to do, or another covers it.
            .Where(line => line is { State: IncidentState.AwaitingApproval } or { State: IncidentState.Diagnosing, Reason: null });
        return await recent.Take(enough).CountAsync(cancellationToken);
    }

    /// <summary>Whether the worst alert of an incident is worse than everything that people were told of its storm; only the first that asks is told so, however often it asks.</summary>
    public async Task<bool> IsWorstAsync(Incident incident, CancellationToken cancellationToken) =>
        incident.Storm is { } id && AlertSeverity.RankOf(incident.WorstSeverity) is { } rank && (await state.UpdateAsync<Known, bool>(
            Key,
            known => known?.Storms.GetValueOrDefault(id) is { } storm && storm.IsWorst(incident.Id, rank)
                ? (known.With(storm with { Worst = rank, WorstBy = incident.Id }), true)
                : (known ?? Known.None, false),
            cancellationToken)).Result;

    public async Task<IReadOnlyList<Storm>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await state.FindAsync<Known>(Key, cancellationToken))?.Storms.Values ?? []];

    /// <param name="since">When the incident that asks opened: for a storm that is not known any more.</param>
    /// <param name="toAsk">To tell of all that waits.</param>
    /// <returns>Null when somebody else speaks for it now.</returns>
    public async Task<Storm?> TakeTurnAsync(string stormId, DateTimeOffset since, bool toAsk, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Known, Storm?>(
            Key,
            known => (known?.Storms.GetValueOrDefault(stormId) ?? new Storm(stormId, since, now) { TookIn = true }).TakeTurn(now, toAsk) is { } mine
                ? ((known ?? Known.None).With(mine), mine)
                : (known!, null),
            cancellationToken)).Result;
    }

    /// <param name="storm">With what was told in this turn.</param>
    /// <param name="over">Nothing is left to tell of it.</param>
    /// <param name="read">How many incidents were read in this turn.</param>
    public Task EndTurnAsync(Storm storm, bool over, int read, CancellationToken cancellationToken) => state.UpdateAsync<Known, bool>(
        Key,
        known =>
        {
            var now = known?.Storms.GetValueOrDefault(storm.Id);
            return (over && now?.LastJoined == storm.LastJoined ? known!.Without(storm.Id)
                : (known ?? Known.None).With(storm.EndTurn(time.GetUtcNow(), read) with
                {
                    Since = Storm.Earlier(now?.Since ?? storm.Since, storm.Since),
                    LastJoined = now?.LastJoined ?? storm.LastJoined,
                    Worst = Least(now?.Worst, storm.Worst),
                    WorstBy = storm.Worst < now?.Worst ? null : now?.WorstBy,
                }), true);
        },
        cancellationToken);

    private static int? Least(int? a, int? b) => a is null || b < a ? b : a;

    /// <param name="Storms">By their ids.</param>
    public sealed record Known(IReadOnlyDictionary<string, Storm> Storms)
    {
        public static readonly Known None = new(new Dictionary<string, Storm>());

        public Known With(Storm storm) => Equals(Storms.GetValueOrDefault(storm.Id), storm) ? this : new(new Dictionary<string, Storm>(Storms) { [storm.Id] = storm });

        public Known Without(string id) => new(Storms.Where(storm => storm.Key != id).ToDictionary(StringComparer.Ordinal));
    }
}

/// <summary>Where an incident stands in a storm.</summary>
/// <param name="AtOnce">It is worse than everything that people were told of, so it does not wait for others.</param>
public sealed record StormPlace(string StormId, bool AtOnce);
