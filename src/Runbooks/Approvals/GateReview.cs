namespace Runbooks.Approvals;

public sealed record GateReview(string IncidentId, string GateId, string WakeEvent);
