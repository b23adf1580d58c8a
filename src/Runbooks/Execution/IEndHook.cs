namespace Runbooks.Execution;

/// <summary>For example updates an open ticket, or sends a report.</summary>
public interface IEndHook
{
    /// <summary>
    /// Called when the end is on record, when a person has closed what it left to people, and when it is tried again; maybe more than once
    /// each. An error of the other side is returned as a line, not thrown.
    /// </summary>
    /// <returns>What was done or failed, a line each, for the timeline.</returns>
    Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken);
}

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
