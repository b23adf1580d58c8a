using System.Runtime.CompilerServices;
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

/// <summary>The incidents of a storm.</summary>
public sealed class StormMembers(IIncidentStore store, TimeProvider time)
{
    /// <summary>More than this on one page, or in one message about ends, help nobody; the rest comes with the next.</summary>
    public const int MaxMembers = 500;

    private const int MaxConcurrency = 16;

    /// <summary>A question that has waited longer than this when a storm begins goes on by itself.</summary>
    private static readonly TimeSpan s_takenIn = TimeSpan.FromHours(1);

    /// <returns>As far as the listing tells, the newest first.</returns>
    public async Task<IReadOnlyList<IncidentSummary>> ListAsync(string stormId, DateTimeOffset since, CancellationToken cancellationToken) =>
        await store.ListAllAsync(new IncidentQuery(Since: since, Limit: MaxMembers), cancellationToken).Where(line => line.Storm == stormId).ToListAsync(cancellationToken);

    /// <param name="line">Which of them, as far as the listing says.</param>
    /// <returns>Oldest first. They are read as they are asked for.</returns>
    public async IAsyncEnumerable<Incident> ReadAsync(string stormId, DateTimeOffset since, Func<IncidentSummary, bool> line, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var incident in ReadAsync((await ListAsync(stormId, since, cancellationToken)).Where(line).Reverse(), cancellationToken))
        {
            yield return incident;
        }
    }

    /// <returns>Whole, in the order of the lines. They are read as they are asked for.</returns>
    public async IAsyncEnumerable<Incident> ReadAsync(IEnumerable<IncidentSummary> lines, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var some in lines.Chunk(MaxConcurrency))
        {
            foreach (var incident in (await Task.WhenAll(some.Select(line => store.TryFindAsync(line.Id, cancellationToken)))).OfType<Incident>())
            {
                yield return incident;
            }
        }
    }

    /// <summary>Questions that were asked one by one before the storm was known share its messages from now on; each can still be answered by its own.</summary>
    /// <returns>When the oldest of them opened; null when there are none.</returns>
    public async Task<DateTimeOffset?> TakeInAsync(string stormId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var waiting = await store.ListAsync(new IncidentQuery(IncidentState.AwaitingApproval, Since: now - s_takenIn, Limit: MaxMembers), cancellationToken);
        var alone = waiting.Items.Where(line => line.Storm is null).ToList();
        await BoundedConcurrency.ForEachAsync(alone, MaxConcurrency, line => store.UpdateAsync(
            line.Id,
            incident => incident is { Storm: null, OpenGate: not null }
                ? (incident with { Storm = stormId }).Note(now, TimelineKind.Gate, "runbook", "Many incidents ask at once: from now on one message tells of all of them.")
                : incident,
            cancellationToken));
        return alone.Count == 0 ? null : alone.Min(line => line.OpenedAt);
    }

    public async Task<bool> AnyOpenAsync(Storm storm, CancellationToken cancellationToken)
    {
        await foreach (var line in store.ListAllAsync(new IncidentQuery(Since: storm.Since, Open: true, Limit: MaxMembers), cancellationToken))
        {
            if (line.Storm == storm.Id)
            {
                return true;
            }
        }

        return false;
    }

    /// <returns>As they are now, in the same order.</returns>
    public async Task<IReadOnlyList<Incident>> UpdateAsync(IEnumerable<Incident> members, Func<Incident, Incident> change, CancellationToken cancellationToken)
    {
        var updated = members.ToArray();
        await BoundedConcurrency.ForEachAsync(Enumerable.Range(0, updated.Length), MaxConcurrency, async at => updated[at] = await store.UpdateAsync(updated[at].Id, change, cancellationToken));
        return updated;
    }
}

/// <summary>Incidents of a storm that ask for the same: at one point of the story of one runbook. What one of them asks for stands for all.</summary>
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

    /// <summary>Of work by hand nothing: a person does it otherwise.</summary>
    public IEnumerable<string> HowToUndo => AsksForWork
        ? []
        : Gate.Plan.Steps.Where(step => step.ShowsUndo).Select(step => step.Undo ?? $"{step.Name}: cannot be undone.");

    /// <summary>The largest first. What is asked anew may be about other steps than before.</summary>
    public static IReadOnlyList<StormPart> Of(IReadOnlyList<Incident> asking, IReadOnlyDictionary<string, Runbook> runbooks) =>
    [
        .. asking
            .GroupBy(incident => (incident.RunbookId, incident.Mode == RunMode.DryRun, incident.OpenGate!.Phase, incident.OpenGate.Task?.Step, incident.OpenGate.Task?.Undoes, IsAnew(incident.OpenGate)))
            .Select(group => new StormPart(runbooks[group.Key.RunbookId], [.. group]))
            .OrderByDescending(part => part.Incidents.Count),
    ];

    /// <summary>What tells it from the other parts.</summary>
    /// <param name="isOnly">No other runbook asks.</param>
    public string Name(bool isOnly) => string.Join(", ", new[]
    {
        isOnly ? null : Runbook.Title,
        Gate.Task is { } task ? task.Undoes ? $"taking back {task.Step}" : task.Step : Gate.Phase == Phase.Resolution ? "resolution" : isOnly ? "mitigation" : null,
        IsAnew(Gate) ? "asked anew" : null,
        IsDryRun ? "dry run" : null,
    }.OfType<string>());

    private static bool IsAnew(Gate gate) => gate is { Task: null, Round: > 1 };
}

/// <summary>How long a message that a person has to act on waits for more of the same.</summary>
public static class StormWait
{
    /// <summary>The longest wait while more keeps coming.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(3);

    /// <summary>Once none has come for this long, there is nothing to wait for.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);

    /// <param name="moments">When each of them came about.</param>
    public static bool IsOver(IEnumerable<DateTimeOffset> moments, DateTimeOffset now) =>
        moments.ToList() is not { Count: > 0 } all || now - all.Max() >= s_pause || now - all.Min() >= s_longest;
}
