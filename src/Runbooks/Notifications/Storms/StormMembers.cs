using System.Runtime.CompilerServices;

namespace Runbooks.Notifications.Storms;

public sealed class StormMembers(IIncidentStore store, TimeProvider time)
{
    /// <summary>A longer page or message about ends helps nobody. The rest comes with the next one.</summary>
    public const int MaxMembers = 500;

    private const int MaxConcurrency = 16;

    /// <summary>Questions of a storm opened within this time of each other, so a reminder of one is due for the others too.</summary>
    private static readonly TimeSpan s_together = TimeSpan.FromMinutes(1);

    /// <summary>A question that has waited longer than this when a storm begins does not join it.</summary>
    private static readonly TimeSpan s_takenIn = TimeSpan.FromHours(1);

    /// <returns>The newest first.</returns>
    public async Task<IReadOnlyList<IncidentSummary>> ListAsync(string stormId, DateTimeOffset since, CancellationToken cancellationToken) =>
        await store.ListAllAsync(new IncidentQuery(Since: since, Limit: MaxMembers), cancellationToken)
            .Where(line => line.Storm == stormId)
            .ToListAsync(cancellationToken);

    /// <returns>Oldest first, read lazily.</returns>
    public async IAsyncEnumerable<Incident> ReadAsync(
        string stormId, DateTimeOffset since, Func<IncidentSummary, bool> line, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var incident in ReadAsync((await ListAsync(stormId, since, cancellationToken)).Where(line).Reverse(), cancellationToken))
        {
            yield return incident;
        }
    }

    /// <returns>The whole incidents in the order of the lines, read lazily.</returns>
    public async IAsyncEnumerable<Incident> ReadAsync(
        IEnumerable<IncidentSummary> lines, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in lines.Chunk(MaxConcurrency))
        {
            foreach (var incident in (await Task.WhenAll(batch.Select(line => store.TryFindAsync(line.Id, cancellationToken)))).OfType<Incident>())
            {
                yield return incident;
            }
        }
    }

    /// <summary>Questions that were asked before the storm was known share its messages from now on.</summary>
    /// <returns>When the oldest of them opened; null when there are none.</returns>
    public async Task<DateTimeOffset?> TakeInAsync(string stormId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var query = new IncidentQuery(IncidentState.AwaitingApproval, Since: now - s_takenIn, Limit: MaxMembers);
        var waiting = await store.ListAsync(query, cancellationToken);
        var alone = waiting.Items.Where(line => line.Storm is null).ToList();
        await BoundedConcurrency.ForEachAsync(alone, MaxConcurrency, line => store.UpdateAsync(line.Id, TakeIn, cancellationToken));
        return alone.Count == 0 ? null : alone.Min(line => line.OpenedAt);

        Incident TakeIn(Incident incident)
        {
            const string News = "Many incidents ask at once: from now on one message tells of all of them.";
            return incident is { Storm: null, OpenGate: not null }
                ? (incident with { Storm = stormId }).Note(now, TimelineKind.Gate, "runbook", News)
                : incident;
        }
    }

    /// <summary>One of these questions is asked again, so the others are asked with it.</summary>
    /// <returns>The incidents that still wait.</returns>
    public async Task<List<Incident>> AskAgainAsync(
        IReadOnlyList<Incident> waiting,
        Func<IReadOnlyList<Incident>, CancellationToken, Task<IReadOnlyDictionary<string, IReadOnlyList<string>>>> findClosed,
        CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var closed = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var runbook in waiting.GroupBy(incident => incident.RunbookId))
        {
            foreach (var (id, why) in await findClosed([.. runbook], cancellationToken))
            {
                closed[id] = why;
            }
        }

        var asked = await UpdateAsync(
            waiting, incident => AskWithOthers(incident, closed.GetValueOrDefault(incident.Id) ?? [], now), cancellationToken);
        return [.. asked.Where(incident => incident is { State: IncidentState.AwaitingApproval, OpenGate: not null })];
    }

    private static Incident AskWithOthers(Incident incident, IReadOnlyList<string> closed, DateTimeOffset now)
    {
        if (incident.OpenGate is not { } open)
        {
            return incident;
        }

        var asked = ApprovalSchedule.AskWithOthers(incident, open.Id, now + s_together, now);
        if (asked.OpenGate is not { } again || again.Asked == open.Asked)
        {
            return asked;
        }

        var why = closed.Count == 0 ? null : string.Join(" ", closed.Select(EndingText.Sentence));
        return ApprovalSchedule.NoteWhetherItRuns(asked, again.Id, why, now);
    }

    public async Task<bool> AnyOpenAsync(Storm storm, CancellationToken cancellationToken)
    {
        var open = new IncidentQuery(Since: storm.Since, Open: true, Limit: MaxMembers);
        return await store.ListAllAsync(open, cancellationToken).AnyAsync(line => line.Storm == storm.Id, cancellationToken);
    }

    public async Task<IReadOnlyList<Incident>> UpdateAsync(
        IEnumerable<Incident> members, Func<Incident, Incident> change, CancellationToken cancellationToken)
    {
        var updated = members.ToArray();
        await BoundedConcurrency.ForEachAsync(
            Enumerable.Range(0, updated.Length),
            MaxConcurrency,
            async at => updated[at] = await store.UpdateAsync(updated[at].Id, change, cancellationToken));
        return updated;
    }
}
