using Microsoft.Extensions.Logging;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Catalog.Steps;

/// <summary>What a check or an action is given beside its parameters.</summary>
public sealed record StepContext
{
    public required string IncidentId { get; init; }

    public required string RunbookId { get; init; }

    public required string Target { get; init; }

    /// <summary><c>{incident}:{phase}:{step}</c>; the same on every attempt. Send it along wherever the API takes one.</summary>
    public required string IdempotencyKey { get; init; }

    /// <summary>
    /// The preparation of an attempt that began and whose outcome was never recorded; null normally. The action has to
    /// find out how far that attempt came, and finish it.
    /// </summary>
    public Preparation? Interrupted { get; init; }

    /// <summary>Keeps what a person may want to see later: logs, bundles.</summary>
    public required IEvidenceStore Evidence { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }
}
