using Runbooks.Incidents;

namespace Runbooks.Orchestration;

/// <summary>The short word that the engine shows about an instance.</summary>
public sealed record IncidentStatus(IncidentState State, string? Detail = null);
