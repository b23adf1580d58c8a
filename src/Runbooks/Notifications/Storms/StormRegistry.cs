using System.ComponentModel.DataAnnotations;

namespace Runbooks.Notifications.Storms;

/// <summary>Knows the storms, over all hosts, and lets one sender at a time speak for each.</summary>
public sealed class StormRegistry(ISharedState state, IIncidentStore store, IOptionsMonitor<StormOptions> options, TimeProvider time, ILogger<StormRegistry> logger)
{
    private const string Key = "storms:known";

    /// <summary>Of more that opened lately nothing needs to be known: there is a storm.</summary>
    private const int Scanned = 50;

    /// <summary>Lull, as a multiple of <see cref="StormOptions.Within"/>, after which an incident starts a new storm.</summary>
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
                    var joined = old.Join(incident.OpenedAt, now);
                    var worse = joined.Worsen(incident.Id, rank);
                    return (known.With(worse ?? joined), new(old.Id, AtOnce: worse is not null));
                }

                var fresh = new Storm($"storm-{now.UtcDateTime:yyMMdd-HHmmss-fff}", Storm.Earlier(incident.OpenedAt, now - storm.Within), now);
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
            known => known?.Storms.GetValueOrDefault(id)?.Worsen(incident.Id, rank) is { } worse ? (known.With(worse), true) : (known ?? Known.None, false),
            cancellationToken)).Result;

    public async Task<IReadOnlyList<Storm>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await state.FindAsync<Known>(Key, cancellationToken))?.Storms.Values ?? []];

    /// <summary>Speaks for a storm, unless somebody else does now.</summary>
    /// <param name="tell">Gets the storm, and what keeps it as it is once something was sent; says whether nothing is left to tell of it.</param>
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

    /// <param name="since">When the incident that asks opened: for a storm that is not known any more.</param>
    /// <param name="toAsk">To tell of all that waits.</param>
    /// <returns>The storm, and whether this one speaks for it now; otherwise somebody else does, or it rests.</returns>
    public async Task<(Storm Storm, bool IsMine)> TakeTurnAsync(string stormId, DateTimeOffset since, bool toAsk, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Known, (Storm, bool)>(
            Key,
            known =>
            {
                var storm = known?.Storms.GetValueOrDefault(stormId) ?? new Storm(stormId, since, now) { TookIn = true };
                return storm.TakeTurn(now, toAsk) is { } mine ? ((known ?? Known.None).With(mine), (mine, true)) : (known!, (storm, false));
            },
            cancellationToken)).Result;
    }

    /// <summary>Alerts that a sender is about to open, before it does: should it die, they are ended all the same.</summary>
    public Task ExpectAsync(string stormId, IReadOnlyList<Delivery> calls, CancellationToken cancellationToken) => state.ChangeAsync<Known>(
        Key,
        known => known?.Storms.GetValueOrDefault(stormId) is { } storm ? known.With(storm with { Expected = [.. storm.Expected, .. calls] }) : known ?? Known.None,
        cancellationToken);

    /// <param name="storm">With what was told in this turn.</param>
    /// <param name="over">Nothing is left to tell of it.</param>
    /// <param name="read">How many incidents were read in this turn.</param>
    public Task EndTurnAsync(Storm storm, bool over, int read, CancellationToken cancellationToken) => state.ChangeAsync<Known>(
        Key,
        known =>
        {
            var now = known?.Storms.GetValueOrDefault(storm.Id);
            return over && now?.LastJoined == storm.LastJoined ? known!.Without(storm.Id)
                : (known ?? Known.None).With((storm with { Expected = [.. (now?.Expected ?? []).Where(call => !storm.Settled.Contains(call.Key))], Settled = [] }).EndTurn(time.GetUtcNow(), read) with
                {
                    Since = Storm.Earlier(now?.Since ?? storm.Since, storm.Since),
                    LastJoined = now?.LastJoined ?? storm.LastJoined,
                    Worst = Least(now?.Worst, storm.Worst),
                    WorstBy = storm.Worst < now?.Worst ? null : now?.WorstBy,
                });
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

/// <summary>When so much breaks at once that people get one message about all of it instead of one each.</summary>
public sealed class StormOptions
{
    public const string SectionName = "Storms";

    /// <summary>More incidents than this that ask within <see cref="Within"/> are a storm.</summary>
    [Range(1, 10_000)]
    public int MoreThan { get; set; } = 4;

    /// <summary>How close together incidents open in a storm.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Within { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the first message waits for more incidents to join it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromSeconds(15);
}
