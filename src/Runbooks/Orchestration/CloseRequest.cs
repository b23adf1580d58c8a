using Runbooks.Model.Incidents;

namespace Runbooks.Orchestration;

/// <param name="SettleEvent">The event that an alert in the settle window raises; null where there is no such window.</param>
public sealed record CloseRequest(string IncidentId, IncidentState State, string Reason, IReadOnlyList<Finding> Findings, string? SettleEvent = null);
