using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications.Storms;

/// <summary>Many incidents at once, of one runbook or of several, whose messages are shared.</summary>
/// <param name="Id">Stands where an incident's id would: channels that join messages into threads join a storm's.</param>
/// <param name="Since">Its oldest incident opened then or later.</param>
/// <param name="LastJoined">When the latest was known to join, to within <see cref="Coarse"/>.</param>
/// <param name="SendingUntil">A message is being sent by somebody, who has until then; null when nobody is at it.</param>
public sealed record Storm(string Id, DateTimeOffset Since, DateTimeOffset LastJoined, DateTimeOffset? SendingUntil = null)
{
    /// <summary>Two hundred incidents that join within a second need not write two hundred times.</summary>
    private static readonly TimeSpan Coarse = TimeSpan.FromSeconds(10);

    /// <summary>A sender that has not come back by then has died.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(3);

    private const int Many = 1_000;
    private const int Most = 200_000;

    /// <summary>Some four times as long as it takes to read one.</summary>
    private static readonly TimeSpan RestForEach = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan LongestRest = RestForEach * Most;

    /// <summary>What each recipient was told of it.</summary>
    public IReadOnlyDictionary<string, StormMessages> Told { get; init; } = new Dictionary<string, StormMessages>();

    /// <summary>Questions that called somebody up, on channels where that has to be ended: they call nobody once all is decided.</summary>
    public IReadOnlyList<Delivery> Asking { get; init; } = [];

    /// <summary>Whatever else called somebody up, questions that are decided among it: it ends once the storm is over.</summary>
    public IReadOnlyList<Delivery> Alerts { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyList<Delivery> Ringing => [.. Asking, .. Alerts];

    /// <summary>Those that waited when it began are part of it.</summary>
    public bool TookIn { get; init; }

    /// <summary>Nobody reads all that waits before then; null when it is not so much.</summary>
    public DateTimeOffset? RestsUntil { get; init; }

    /// <summary>The rank of the worst alert that people were told of; null until they were.</summary>
    public int? Worst { get; init; }

    /// <summary>The incident that is to tell of it by a message of its own, until one of all of them does; null where none is.</summary>
    public string? WorstBy { get; init; }

    /// <summary>Whether it is worse than all that people were told of, or was found to be: what broke off before they were is told all the same.</summary>
    public bool IsWorst(string incident, int? rank) => rank < Worst || (rank == Worst && WorstBy == incident);

    /// <param name="opened">When that which joins opened: it may ask once more long after that.</param>
    public Storm Join(DateTimeOffset opened, DateTimeOffset now) =>
        opened >= Since && now - LastJoined < Coarse ? this : this with { Since = Earlier(opened, Since), LastJoined = now };

    public static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    /// <param name="toAsk">To tell of what waits, which is to be read for it.</param>
    /// <returns>Null while somebody else sends. Until later than anybody may is what a clock that was ahead has left.</returns>
    public Storm? TakeTurn(DateTimeOffset now, bool toAsk) =>
        (SendingUntil > now && SendingUntil <= now + (LongestTurn * 2)) || (toAsk && RestsUntil > now && RestsUntil <= now + (LongestRest * 2))
            ? null
            : this with { SendingUntil = now + LongestTurn };

    /// <summary>After a turn that read thousands the next ones wait, so that the messages of a storm do not take all of a host's time.</summary>
    /// <param name="read">How many incidents it read.</param>
    public Storm EndTurn(DateTimeOffset now, int read) => this with { SendingUntil = null, RestsUntil = read < Many ? RestsUntil : now + (RestForEach * Math.Min(read, Most)) };

    public Storm Keep(IEnumerable<StormSent> sent) => this with { Alerts = [.. Alerts, .. sent.Select(message => message.Delivery)] };

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
