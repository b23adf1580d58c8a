namespace Runbooks.Execution;

/// <summary>Sees to something when an incident has ended: a ticket that is open for it outside, a report of it.</summary>
public interface IEndHook
{
    /// <summary>
    /// The end is on record, or that a person has closed what it left to people or has had it tried again. May be called more than once for the same end;
    /// what the other side does wrong is said, not thrown.
    /// </summary>
    /// <returns>What was done, or could not be done, a line each, for the timeline; empty when there was nothing to do.</returns>
    Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken);
}

/// <summary>Tells every integration of an end, whoever recorded it, and puts on record what they did.</summary>
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
