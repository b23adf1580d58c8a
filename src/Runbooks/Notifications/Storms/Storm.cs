using System.Text.Json.Serialization;

namespace Runbooks.Notifications.Storms;

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
