using Runbooks.Model.Incidents;

namespace Runbooks.Engine;

/// <summary>The short word that the engine shows about an instance.</summary>
public sealed record IncidentStatus(IncidentState State, string? Detail = null);
