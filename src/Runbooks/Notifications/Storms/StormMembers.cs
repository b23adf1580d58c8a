using System.Runtime.CompilerServices;

namespace Runbooks.Notifications.Storms;

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
