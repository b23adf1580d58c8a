using Runbooks.Engine;
using Runbooks.Incidents;

namespace RunbookLocal.Engine;

/// <summary>The seam's view of the journal engine: incidents, and nothing else.</summary>
internal sealed class JournalIncidentEngine(JournalEngine engine) : IIncidentEngine
{
    public Task StartAsync(IncidentInput input, CancellationToken cancellationToken) =>
        engine.StartAsync(IncidentWorkflow.Name, input.IncidentId, input);

    public Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken) =>
        engine.RaiseEventAsync(incidentId, eventName);

    public Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) =>
        Task.FromResult(engine.Find(incidentId) is { } found
            ? new EngineInstance(found.Id, found.Status, found.UpdatedAt, found.Failure)
            : null);

    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => engine.CheckHealthAsync();
}
