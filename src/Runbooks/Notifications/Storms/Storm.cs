using System.Text.Json.Serialization;

namespace Runbooks.Notifications.Storms;

/// <summary>Many incidents at once, of one runbook or of several, whose messages are shared.</summary>
/// <param name="Id">Used in place of an incident's id, so that channels with threads put a storm's messages into one.</param>
/// <param name="Since">No incident of it opened earlier.</param>
/// <param name="LastJoined">When the latest incident joined, to within <see cref="s_coarse"/>.</param>
/// <param name="SendingUntil">Somebody sends now and has until then; null when nobody does.</param>
public sealed record Storm(string Id, DateTimeOffset Since, DateTimeOffset LastJoined, DateTimeOffset? SendingUntil = null)
{
    /// <summary>Saves writes: two hundred incidents that join within a second need not each write.</summary>
    private static readonly TimeSpan s_coarse = TimeSpan.FromSeconds(10);

    /// <summary>A sender that has not come back by then has died.</summary>
    private static readonly TimeSpan s_longestTurn = TimeSpan.FromMinutes(3);

    private const int Many = 1_000;
    private const int Most = 200_000;

    /// <summary>About four times as long as it takes to read one incident.</summary>
    private static readonly TimeSpan s_restForEach = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan s_longestRest = s_restForEach * Most;

    /// <summary>Waiting questions are spread over this many rests.</summary>
    private const int LooksInRests = 10;

    /// <summary>By recipient.</summary>
    public IReadOnlyDictionary<string, StormMessages> Told { get; init; } = new Dictionary<string, StormMessages>();

    /// <summary>Alerts of questions, on channels where an alert has to be ended. They end once everything is decided.</summary>
    public IReadOnlyList<Delivery> Asking { get; init; } = [];

    /// <summary>All other alerts, those of decided questions included. They end once the storm is over.</summary>
    public IReadOnlyList<Delivery> Alerts { get; init; } = [];

    /// <summary>Alerts of the current turn, recorded before they are opened. They move to the others even if the sender dies.</summary>
    public IReadOnlyList<Delivery> Expected { get; init; } = [];

    /// <summary>Keys of messages of this turn whose outcome is known.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Settled { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyList<Delivery> Ringing => [.. Asking, .. Alerts];

    public bool TookIn { get; init; }

    /// <summary>Until then nobody reads everything that waits; null where it needs no rest.</summary>
    public DateTimeOffset? RestsUntil { get; init; }

    public TimeSpan? Rest { get; init; }

    /// <summary>The rank of the worst alert that people were told of; null before that, and while no alert has a known severity.</summary>
    public int? Worst { get; init; }

    /// <summary>The incident that sends a message of its own about the worst alert, until a message about all incidents tells it.</summary>
    public string? WorstBy { get; init; }

    /// <summary>
    /// With this as the worst alert; null where it is not worse. The incident that was to tell of the worst and failed may try again.
    /// </summary>
    public Storm? Worsen(string incident, int? rank)
    {
        var worstTold = Worst ?? (Told.Count > 0 ? AlertSeverity.RankOfUnknown : null);
        var isSameAgain = rank == Worst && WorstBy == incident;
        return rank < worstTold || isSameAgain ? this with { Worst = rank, WorstBy = incident } : null;
    }

    /// <param name="opened">When the incident opened, which may be long before it asks again and joins.</param>
    public Storm Join(DateTimeOffset opened, DateTimeOffset now) =>
        opened >= Since && now - LastJoined < s_coarse ? this : this with { Since = Earlier(opened, Since), LastJoined = now };

    public static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    /// <param name="toAsk">Whether the turn is for questions, which means reading everything that waits.</param>
    /// <returns>Null while somebody else sends, or while it rests.</returns>
    public Storm? TakeTurn(DateTimeOffset now, bool toAsk)
    {
        var isTaken = TurnEnd.IsAhead(SendingUntil, s_longestTurn, now);
        var rests = toAsk && TurnEnd.IsAhead(RestsUntil, s_longestRest, now);
        return isTaken || rests ? null : TakeOverExpected() with { SendingUntil = now + s_longestTurn };
    }

    /// <summary>After a turn that read thousands of incidents the storm rests, so that its messages do not take all of a host's time.</summary>
    public Storm EndTurn(DateTimeOffset now, int read)
    {
        var ended = TakeOverExpected() with { SendingUntil = null };
        var rest = s_restForEach * Math.Min(read, Most);
        return read < Many ? ended : ended with { RestsUntil = now + rest, Rest = rest };
    }

    /// <summary>
    /// When a question that did not get a turn tries again. One turn is for all questions, so the others are spread: about thirty try per
    /// second, however many they are.
    /// </summary>
    /// <param name="usual">When it would try if there were few.</param>
    public DateTimeOffset LookAgain(string incident, DateTimeOffset now, DateTimeOffset usual)
    {
        if (Rest is not { } rest)
        {
            return usual;
        }

        var rested = TurnEnd.IsAhead(RestsUntil, s_longestRest, now) ? RestsUntil!.Value : now;
        var spread = rested + (rest * LooksInRests * ShareOf(incident));
        return usual > spread ? usual : spread;
    }

    private static double ShareOf(string incident) =>
        incident.Aggregate(0u, (hash, letter) => unchecked((hash * 31) + letter)) / (double)uint.MaxValue;

    private Storm TakeOverExpected()
    {
        if (Expected.Count == 0)
        {
            return this;
        }

        var calls = Expected.Where(call => !Ringing.Any(call.IsSameMessage)).ToLookup(call => call.IsUnder(StormMessage.KeyPrefix));
        return this with { Expected = [], Asking = [.. Asking, .. calls[true]], Alerts = [.. Alerts, .. calls[false]] };
    }

    public Storm Keep(IReadOnlyList<StormSent> sent) =>
        Settle(sent.Select(message => message.Delivery)) with { Alerts = [.. Alerts, .. sent.SelectMany(message => message.Alerts)] };

    public Storm Settle(IEnumerable<Delivery> sent) => this with { Settled = [.. Settled, .. sent.Select(delivery => delivery.Key)] };

    public Storm Tell(string recipient, StormMessages told) =>
        this with { Told = new Dictionary<string, StormMessages>(Told) { [recipient] = told } };
}

public sealed record StormMessages(int Count, DateTimeOffset LastAt)
{
    public TimeSpan Pause => TimeSpan.FromMinutes(5) * Math.Pow(3, Math.Min(Count, 4) - 1);
}

/// <summary>Incidents of a storm that ask for the same thing, at one point of one runbook. Its first incident is an example of all.</summary>
internal sealed record StormPart(Runbook Runbook, IReadOnlyList<Incident> Incidents)
{
    public Incident Example => Incidents[0];

    public Gate Gate => Example.OpenGate!;

    public bool AsksForWork => Gate.Task is not null;

    public bool IsDryRun => Example.Mode == RunMode.DryRun;

    public string StepsHeading =>
        AsksForWork ? "To do by hand on each"
        : IsDryRun ? "What will be rehearsed on each"
        : "What will be done on each";

    /// <summary>Empty for work by hand, which a person undoes in their own way.</summary>
    public IEnumerable<string> HowToUndo => AsksForWork ? [] : Lines.Of(Gate.Plan.Steps.Select(step => step.NamedUndo));

    /// <summary>The worst first, then the largest. A question that is asked again may be about other steps, so it is a part of its own.</summary>
    public static IReadOnlyList<StormPart> Of(IReadOnlyList<Incident> asking, IReadOnlyDictionary<string, Runbook> runbooks) =>
    [
        .. asking
            .GroupBy(incident => (
                incident.RunbookId,
                incident.Mode == RunMode.DryRun,
                incident.OpenGate!.Phase,
                incident.OpenGate.Task?.Step,
                incident.OpenGate.Task?.Undoes,
                IsAnew(incident.OpenGate)))
            .Select(group => new StormPart(runbooks[group.Key.RunbookId], [.. group]))
            .OrderByDescending(part => part.Runbook.Impact.Severity)
            .ThenByDescending(part => part.Incidents.Count),
    ];

    public string Name(bool isOnly) => string.Join(", ", Lines.Of(
        isOnly ? null : Runbook.Title,
        Gate.Task is { } task ? (task.Undoes ? $"taking back {task.Step}" : task.Step)
            : Gate.Phase == Phase.Resolution ? "resolution"
            : isOnly ? "mitigation"
            : null,
        IsAnew(Gate) ? "asked anew" : null,
        IsDryRun ? "dry run" : null));

    private static bool IsAnew(Gate gate) => gate is { Task: null, Round: > 1 };
}

/// <summary>How long a message that a person has to act on waits for more of its kind.</summary>
public static class StormWait
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);

    public static bool IsOver(IEnumerable<DateTimeOffset> moments, DateTimeOffset now) =>
        moments.ToList() is not { Count: > 0 } all || now - all.Max() >= s_pause || now - all.Min() >= s_longest;
}

/// <param name="About">Everything that waits for this recipient, oldest first.</param>
/// <param name="Fresh">Those of them that have to be sent now.</param>
/// <param name="Before">What the recipient has got and still has to answer; null when there is nothing.</param>
public sealed record StormMessage(
    Recipient Recipient, IReadOnlyList<Incident> About, IReadOnlyList<Incident> Fresh, StormMessages? Before, DateTimeOffset DueAt)
{
    private readonly HashSet<string> _about = [.. About.Select(incident => incident.Id)];

    /// <summary>The contact that is asked in place of those who were not reached; null in a message to those whom the questions ask.</summary>
    public string? InPlace { get; init; }

    public string Name => NotificationDispatcher.NameOf(Recipient);

    public const string KeyPrefix = "storm";

    /// <summary>The same on a repeated attempt. Each message has its own, so that two people with one pager are each called up.</summary>
    public string Key => $"{KeyPrefix}:{Fresh[0].Id}:{Fresh[0].OpenGate!.MessageKey}{(InPlace is null ? "" : $":{InPlace}")}";

    public int Newcomers => Fresh.Count(incident => !WasTold(incident));

    /// <summary>A schedule names this recipient now, and named others when it was asked first.</summary>
    public bool IsNextShift => About.Any(incident => incident.OpenGate!.OnCall
        .GroupBy(record => record.Contact, StringComparer.OrdinalIgnoreCase)
        .Any(contact => Names(contact.Last()) && !Names(contact.First())));

    /// <summary>Others were told of it, and this recipient never: it escalated to them, or their shift has begun.</summary>
    public bool HasNewOnes => Fresh.Any(incident => !WasTold(incident, Recipient));

    /// <summary>Whether anybody was told of the question.</summary>
    public static bool WasTold(Incident incident) => incident.HasDelivery(incident.OpenGate!.Id);

    /// <summary>Whether this recipient has got a message about the question.</summary>
    public static bool WasTold(Incident incident, Recipient recipient) => incident.Deliveries.Any(delivery =>
        delivery.Channel is not null
        && delivery.IsOf(incident.OpenGate!)
        && ContactBook.IsSameName(delivery.Contact, recipient.Name));

    public bool IsAbout(Incident incident) => _about.Contains(incident.Id);

    private bool Names(OnCallRecord record) => record.People.Contains(Recipient.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>For the record of one of its incidents. A message about several cannot be changed to show the end of one of them.</summary>
    public Delivery Of(Gate gate, Delivery delivery) => delivery with
    {
        Key = $"{gate.MessageKey}:{(InPlace is null ? "" : "fallback:")}{Name}",
        Reference = About.Count == 1 ? delivery.Reference : null,
    };
}
