using Microsoft.Extensions.Logging;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Execution;

/// <summary>Makes the context of each check and action.</summary>
public sealed class StepContexts(IEvidenceStore evidence, TimeProvider time, ILoggerFactory loggers)
{
    private readonly RedactedEvidence _evidence = new(evidence);

    /// <param name="step">The check's or the action's registered name, which is also the logger's.</param>
    public StepContext For(Incident incident, string step, string idempotencyKey, Preparation? interrupted = null) => new()
    {
        IncidentId = incident.Id,
        RunbookId = incident.RunbookId,
        Target = incident.Target,
        IdempotencyKey = idempotencyKey,
        Interrupted = interrupted,
        Evidence = _evidence,
        Time = time,
        Logger = loggers.CreateLogger($"Runbooks.Steps.{step}"),
    };
}
