namespace Runbooks.Storage;

/// <summary>The runbook versions that incidents are pinned to. A version never changes, so it is read once.</summary>
public sealed class PinnedRunbooks(IIncidentStore store)
{
    private readonly ConcurrentDictionary<string, Runbook> _known = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">The store has lost the version.</exception>
    public async Task<Runbook> OfAsync(Incident incident, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(incident.RunbookHash, out var runbook))
        {
            return runbook;
        }

        runbook = await store.FindRunbookAsync(incident.RunbookHash, cancellationToken)
            ?? throw new InvalidOperationException($"Runbook '{incident.RunbookId}' version {incident.RunbookHash} of incident {incident.Id} is not in the store.");
        return _known.GetOrAdd(incident.RunbookHash, runbook);
    }
}
