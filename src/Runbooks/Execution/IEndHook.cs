namespace Runbooks.Execution;

/// <summary>Does something when an incident has ended: updates an open ticket, sends a report.</summary>
public interface IEndHook
{
    /// <summary>
    /// The end is on record, or a person has closed what it left to people, or has had it tried again. May be called more than once for
    /// the same end. An error of the other side is returned as a line, not thrown.
    /// </summary>
    /// <returns>What was done, or could not be done, a line each, for the timeline; empty when there was nothing to do.</returns>
    Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken);
}

/// <summary>Calls every hook after an end, whoever recorded it, and records what they did.</summary>
public sealed class EndHooks(IEnumerable<IEndHook> hooks, IIncidentStore store, TimeProvider time)
{
    public async Task RunAsync(Incident incident, CancellationToken cancellationToken)
    {
        foreach (var hook in hooks)
        {
            foreach (var line in await hook.EndedAsync(incident, cancellationToken))
            {
                await store.UpdateAsync(incident.Id, i => i.NoteAfterEnd(line, time.GetUtcNow()), cancellationToken);
            }
        }
    }
}
