using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Storage;

/// <summary>Waits until an incident has come to a state.</summary>
public sealed class IncidentWaiter(IIncidentStore store, IncidentChanges changes, TimeProvider time)
{
    /// <summary>How often to look without having been told: another process may have written.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    /// <param name="goal">Null: any final state. A state that was passed through while waiting counts as reached.</param>
    /// <returns>The incident as it is when the goal is reached or the time is up; null when there is none.</returns>
    public async Task<Incident?> WaitAsync(string id, IncidentState? goal, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var watch = changes.Watch(id);
        var deadline = time.GetUtcNow() + atMost;
        IncidentState? first = null;
        while (true)
        {
            var incident = await store.FindAsync(id, cancellationToken);
            var left = deadline - time.GetUtcNow();
            if (incident is null || left <= TimeSpan.Zero || Reached(incident.State, goal, first ??= incident.State))
            {
                return incident;
            }

            await watch.WaitAsync(incident.State, left < PollInterval ? left : PollInterval, time, cancellationToken);
        }
    }

    // A state may come back (a second question after a changed plan), so one that lay behind when the wait began is not reached.
    private static bool Reached(IncidentState state, IncidentState? goal, IncidentState first) =>
        state.IsFinal() || state == goal || (first < goal && state > goal);
}
