namespace Runbooks.Orchestration;

public sealed record PageRequest(string IncidentId, string Key, string Message);
