using Runbooks.Model.Incidents;

namespace Runbooks.Execution;

/// <summary>An integration that keeps something open for an incident outside, such as a ticket, and sees to it when the incident has ended.</summary>
public interface IEndHook
{
    /// <summary>The end is on record. May be called more than once for the same end; what the other side does wrong is said, not thrown.</summary>
    /// <returns>What was done, or could not be done, a line each, for the timeline; empty when there was nothing to do.</returns>
    Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken);
}
