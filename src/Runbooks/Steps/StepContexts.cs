using Microsoft.Extensions.Logging;
using Runbooks.Incidents;
using Runbooks.Storage;

namespace Runbooks.Steps;

/// <summary>Makes the context of each check and action.</summary>
public sealed class StepContexts(IEvidenceStore evidence, TimeProvider time, ILoggerFactory loggers)
{
    /// <param name="step">The check's or the action's registered name, which is also the logger's.</param>
    public StepContext For(Incident incident, string step, string idempotencyKey, Preparation? interrupted = null) => new()
    {
        IncidentId = incident.Id,
        RunbookId = incident.RunbookId,
        Target = incident.Target,
        IdempotencyKey = idempotencyKey,
        Interrupted = interrupted,
        Evidence = evidence,
        Time = time,
        Logger = loggers.CreateLogger($"Runbooks.Steps.{step}"),
    };
}
