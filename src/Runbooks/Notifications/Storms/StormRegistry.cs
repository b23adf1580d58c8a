using System.ComponentModel.DataAnnotations;

namespace Runbooks.Notifications.Storms;

/// <summary>Keeps the storms for all hosts and lets one sender at a time send messages about each.</summary>
public sealed class StormRegistry(
    ISharedState state, IIncidentStore store, IOptionsMonitor<StormOptions> options, TimeProvider time, ILogger<StormRegistry> logger)
{
    private const string Key = "storms:known";

    /// <summary>How many recent incidents are looked at: so many are a storm in any case.</summary>
    private const int Scanned = 50;

    /// <summary>A multiple of <see cref="StormOptions.Within"/>: after such a pause an incident starts a new storm.</summary>
    private const int Lull = 5;

    /// <returns>Null when the incident sends its own messages.</returns>
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
                    var joined = old.Join(incident.OpenedAt, now);
                    var worse = joined.Worsen(incident.Id, rank);
                    return (known.With(worse ?? joined), new(old.Id, AtOnce: worse is not null));
                }

                var fresh = new Storm($"storm-{now.UtcDateTime:yyMMdd-HHmmss-fff}", Storm.Earlier(incident.OpenedAt, now - storm.Within), now);
                return asking > storm.MoreThan ? (known.With(fresh), new(fresh.Id, AtOnce: false)) : (known, null);
            },
            cancellationToken)).Result;
    }

    /// <summary>Counts only up to <paramref name="enough"/>, so that many incidents that open at once do not each read all the others.</summary>
    private async Task<int> CountAskingAsync(DateTimeOffset since, int enough, CancellationToken cancellationToken)
    {
        var opened = await store.CountOpenedAsync(since, enough, cancellationToken);
        if (opened < enough)
        {
            return opened;
        }

        var recent = store.ListAllAsync(new IncidentQuery(Open: true, Since: since, Limit: enough), cancellationToken)
            .Take(Math.Max(Scanned, enough))
            // A diagnosis with a reason is one that waits: its checks see nothing to do, or another incident covers it. It asks nobody.
            .Where(line => line is { State: IncidentState.AwaitingApproval } or { State: IncidentState.Diagnosing, Reason: null });
        return await recent.Take(enough).CountAsync(cancellationToken);
    }

    /// <summary>Whether its alert is worse than everything that people were told of the storm; true only for the first such incident.</summary>
    public async Task<bool> IsWorstAsync(Incident incident, CancellationToken cancellationToken)
    {
        if (incident.Storm is not { } id || AlertSeverity.RankOf(incident.WorstSeverity) is not { } rank)
        {
            return false;
        }

        return (await state.UpdateAsync<Known, bool>(
            Key,
            known => known?.Storms.GetValueOrDefault(id)?.Worsen(incident.Id, rank) is { } worse
                ? (known.With(worse), true)
                : (known ?? Known.None, false),
            cancellationToken)).Result;
    }

    public async Task<IReadOnlyList<Storm>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await state.FindAsync<Known>(Key, cancellationToken))?.Storms.Values ?? []];

    /// <summary>Sends messages about a storm, unless somebody else does now.</summary>
    /// <param name="tell">Gets the storm, and an action to call with the changed storm after each message; returns whether it is over.</param>
    /// <inheritdoc cref="TakeTurnAsync"/>
    public async Task SpeakAsync(string stormId, DateTimeOffset since, Func<Storm, Action<Storm>, Task<bool>> tell, CancellationToken cancellationToken)
    {
        if (await TakeTurnAsync(stormId, since, toAsk: false, cancellationToken) is not (var mine, IsMine: true))
        {
            return;
        }

        var (told, over) = (mine, false);
        try
        {
            await logger.TryPartAsync(stormId, async _ => over = await tell(mine, sent => told = sent), cancellationToken);
        }
        finally
        {
            await EndTurnAsync(told, over, read: 0, CancellationToken.None);
        }
    }

    /// <param name="since">When the asking incident opened, for a storm that is no longer known.</param>
    /// <param name="toAsk">Whether the turn is for questions.</param>
    /// <returns>The storm, and whether the caller has the turn: somebody else may have it, or the storm may rest.</returns>
    public async Task<(Storm Storm, bool IsMine)> TakeTurnAsync(string stormId, DateTimeOffset since, bool toAsk, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Known, (Storm, bool)>(
            Key,
            known =>
            {
                var storm = known?.Storms.GetValueOrDefault(stormId) ?? new Storm(stormId, since, now) { TookIn = true };
                var mine = storm.TakeTurn(now, toAsk);
                return mine is null ? (known!, (storm, false)) : ((known ?? Known.None).With(mine), (mine, true));
            },
            cancellationToken)).Result;
    }

    /// <summary>Records alerts before a sender opens them, so that they are ended even if the sender dies.</summary>
    public Task ExpectAsync(string stormId, IReadOnlyList<Delivery> calls, CancellationToken cancellationToken) => state.ChangeAsync<Known>(
        Key,
        known => known?.Storms.GetValueOrDefault(stormId) is { } storm
            ? known.With(storm with { Expected = [.. storm.Expected, .. calls] })
            : known ?? Known.None,
        cancellationToken);

    public Task EndTurnAsync(Storm storm, bool over, int read, CancellationToken cancellationToken) => state.ChangeAsync<Known>(
        Key,
        known =>
        {
            var now = known?.Storms.GetValueOrDefault(storm.Id);
            if (over && now?.LastJoined == storm.LastJoined)
            {
                return known!.Without(storm.Id);
            }

            var unsettled = (now?.Expected ?? []).Where(call => !storm.Settled.Contains(call.Key));
            var ended = (storm with { Expected = [.. unsettled], Settled = [] }).EndTurn(time.GetUtcNow(), read);
            return (known ?? Known.None).With(ended with
            {
                Since = Storm.Earlier(now?.Since ?? storm.Since, storm.Since),
                LastJoined = now?.LastJoined ?? storm.LastJoined,
                Worst = Least(now?.Worst, storm.Worst),
                WorstBy = storm.Worst < now?.Worst ? null : now?.WorstBy,
            });
        },
        cancellationToken);

    private static int? Least(int? a, int? b) => a is null || b < a ? b : a;

    public sealed record Known(IReadOnlyDictionary<string, Storm> Storms)
    {
        public static readonly Known None = new(new Dictionary<string, Storm>());

        public Known With(Storm storm) => Equals(Storms.GetValueOrDefault(storm.Id), storm)
            ? this
            : new(new Dictionary<string, Storm>(Storms) { [storm.Id] = storm });

        public Known Without(string id) => new(Storms.Where(storm => storm.Key != id).ToDictionary(StringComparer.Ordinal));
    }
}

/// <param name="AtOnce">It is worse than everything that people were told of, so it does not wait for others.</param>
public sealed record StormPlace(string StormId, bool AtOnce);

/// <summary>Section <c>Storms</c>: when so much breaks at once that people get one message about everything instead of many.</summary>
public sealed class StormOptions
{
    public const string SectionName = "Storms";

    /// <summary>More incidents than this that ask within <see cref="Within"/> are a storm.</summary>
    [Range(1, 10_000)]
    public int MoreThan { get; set; } = 4;

    /// <summary>How close together incidents of a storm open.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Within { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the first message of a storm waits for more incidents to join it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromSeconds(15);
}
