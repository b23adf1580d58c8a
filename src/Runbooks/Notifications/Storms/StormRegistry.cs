using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

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

/// <summary>Many incidents at once, of one runbook or of several, whose messages are shared.</summary>
/// <param name="Id">Stands where an incident's id would: channels that join messages into threads join a storm's.</param>
/// <param name="Since">Its oldest incident opened then or later.</param>
/// <param name="LastJoined">When the latest was known to join, to within <see cref="s_coarse"/>.</param>
/// <param name="SendingUntil">A message is being sent by somebody, who has until then; null when nobody is at it.</param>
public sealed record Storm(string Id, DateTimeOffset Since, DateTimeOffset LastJoined, DateTimeOffset? SendingUntil = null)
{
    /// <summary>Two hundred incidents that join within a second need not write two hundred times.</summary>
    private static readonly TimeSpan s_coarse = TimeSpan.FromSeconds(10);

    /// <summary>A sender that has not come back by then has died.</summary>
    private static readonly TimeSpan s_longestTurn = TimeSpan.FromMinutes(3);

    private const int Many = 1_000;
    private const int Most = 200_000;

    /// <summary>Some four times as long as it takes to read one.</summary>
    private static readonly TimeSpan s_restForEach = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan s_longestRest = s_restForEach * Most;

    /// <summary>Waiting questions look again spread over this many rests.</summary>
    private const int LooksInRests = 10;

    /// <summary>What each recipient was told of it.</summary>
    public IReadOnlyDictionary<string, StormMessages> Told { get; init; } = new Dictionary<string, StormMessages>();

    /// <summary>Questions that called somebody up, on channels where that has to be ended: they call nobody once all is decided.</summary>
    public IReadOnlyList<Delivery> Asking { get; init; } = [];

    /// <summary>Whatever else called somebody up, questions that are decided among it: it ends once the storm is over.</summary>
    public IReadOnlyList<Delivery> Alerts { get; init; } = [];

    /// <summary>Alerts of the turn that goes on, on record before they are opened; at its end, or at the next one where its sender died, they are among the others.</summary>
    public IReadOnlyList<Delivery> Expected { get; init; } = [];

    /// <summary>Keys of messages of this turn whose delivery is known.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Settled { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyList<Delivery> Ringing => [.. Asking, .. Alerts];

    /// <summary>Those that waited when it began are part of it.</summary>
    public bool TookIn { get; init; }

    /// <summary>Nobody reads all that waits before then; null when it is not so much.</summary>
    public DateTimeOffset? RestsUntil { get; init; }

    /// <summary>How long it rested last; null when it never had to.</summary>
    public TimeSpan? Rest { get; init; }

    /// <summary>The rank of the worst alert that people were told of; null until they were, and while none had a severity that is known.</summary>
    public int? Worst { get; init; }

    /// <summary>The incident that is to tell of it by a message of its own, until one of all of them does; null where none is.</summary>
    public string? WorstBy { get; init; }

    /// <summary>With the worst that people are to be told of; null where this is not worse. What was found and broke off before they were told is told all the same.</summary>
    public Storm? Worsen(string incident, int? rank) =>
        rank < (Worst ?? (Told.Count > 0 ? AlertSeverity.RankOfUnknown : null)) || (rank == Worst && WorstBy == incident) ? this with { Worst = rank, WorstBy = incident } : null;

    /// <param name="opened">When that which joins opened: it may ask once more long after that.</param>
    public Storm Join(DateTimeOffset opened, DateTimeOffset now) =>
        opened >= Since && now - LastJoined < s_coarse ? this : this with { Since = Earlier(opened, Since), LastJoined = now };

    public static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    /// <param name="toAsk">To tell of what waits, which is to be read for it.</param>
    /// <returns>Null while somebody else sends, or while it rests.</returns>
    public Storm? TakeTurn(DateTimeOffset now, bool toAsk) =>
        TurnEnd.IsAhead(SendingUntil, s_longestTurn, now) || (toAsk && TurnEnd.IsAhead(RestsUntil, s_longestRest, now)) ? null : TakeOverExpected() with { SendingUntil = now + s_longestTurn };

    /// <summary>After a turn that read thousands the next ones wait, so that the messages of a storm do not take all of a host's time.</summary>
    /// <param name="read">How many incidents it read.</param>
    public Storm EndTurn(DateTimeOffset now, int read)
    {
        var ended = TakeOverExpected() with { SendingUntil = null };
        var rest = s_restForEach * Math.Min(read, Most);
        return read < Many ? ended : ended with { RestsUntil = now + rest, Rest = rest };
    }

    /// <summary>
    /// When a question that could not have its turn looks after itself again. Whoever has the turn asks for all, so the others only
    /// see to it that somebody does: they are spread so that about thirty look per second, however many they are.
    /// </summary>
    /// <param name="usual">When it would look if there were few.</param>
    public DateTimeOffset LookAgain(string incident, DateTimeOffset now, DateTimeOffset usual) => Rest is not { } rest ? usual
        : new[] { usual, (TurnEnd.IsAhead(RestsUntil, s_longestRest, now) ? RestsUntil!.Value : now) + (rest * LooksInRests * ShareOf(incident)) }.Max();

    /// <returns>Between 0 and 1, for each incident another one.</returns>
    private static double ShareOf(string incident) => incident.Aggregate(0u, (hash, letter) => unchecked((hash * 31) + letter)) / (double)uint.MaxValue;

    private Storm TakeOverExpected()
    {
        var calls = Expected.Where(call => !Ringing.Any(call.IsSameMessage)).ToLookup(call => call.IsUnder(StormMessage.KeyPrefix));
        return Expected.Count == 0 ? this : this with { Expected = [], Asking = [.. Asking, .. calls[true]], Alerts = [.. Alerts, .. calls[false]] };
    }

    public Storm Keep(IReadOnlyList<StormSent> sent) =>
        Settle(sent.Select(message => message.Delivery)) with { Alerts = [.. Alerts, .. sent.SelectMany(message => message.Alerts)] };

    public Storm Settle(IEnumerable<Delivery> sent) => this with { Settled = [.. Settled, .. sent.Select(delivery => delivery.Key)] };

    public Storm Tell(string recipient, StormMessages told) =>
        this with { Told = new Dictionary<string, StormMessages>(Told) { [recipient] = told } };
}

/// <summary>The messages of a storm to one recipient.</summary>
public sealed record StormMessages(int Count, DateTimeOffset LastAt)
{
    /// <summary>The more often somebody was told of the same storm, the longer until the next time.</summary>
    public TimeSpan Pause => TimeSpan.FromMinutes(5) * Math.Pow(3, Math.Min(Count, 4) - 1);
}

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
