using Runbooks.Catalog;

namespace Runbooks.Incidents;

/// <summary>What an incident's workflow starts with: its id and the runbook version it is pinned to.</summary>
public sealed record IncidentInput(string IncidentId, Runbook Runbook);
