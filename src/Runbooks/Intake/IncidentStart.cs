using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Storage;

namespace Runbooks.Intake;

/// <summary>
/// The workflow of a new incident is to be started, or of one whose start a crash may have cut off: the sender tries again,
/// and what it then folds into was never started. One that waits is to be woken, where something came that it has to read.
/// </summary>
/// <param name="Runbook">Null where it was opened before.</param>
internal sealed record IncidentStart(Incident Incident, Runbook? Runbook)
{
    public bool Wakes { get; init; }

    public static IncidentStart Waking(Incident incident) => new(incident, null) { Wakes = true };

    /// <summary>One start for each incident of a post.</summary>
    public static IReadOnlyList<IncidentStart> Merge(IEnumerable<IncidentStart> starts) => [.. starts.GroupBy(start => start.Incident.Id).Select(of => of.Last() with
    {
        Runbook = of.Select(start => start.Runbook).FirstOrDefault(runbook => runbook is not null),
        Wakes = of.Any(start => start.Wakes),
    })];

    /// <summary>The incident is on record: a sender that hangs up no longer stops its start.</summary>
    public async Task RunAsync(IIncidentEngine engine, PinnedRunbooks pinned)
    {
        if (Runbook is { } opened)
        {
            await engine.StartAsync(IncidentInput.Of(Incident.Id, opened), CancellationToken.None);
        }
        else if (Incident is { State: IncidentState.Diagnosing, WakeEvent: null } && await engine.FindAsync(Incident.Id, CancellationToken.None) is null)
        {
            await engine.StartAsync(IncidentInput.Of(Incident.Id, await pinned.OfAsync(Incident, CancellationToken.None)), CancellationToken.None);
        }
    }
}
