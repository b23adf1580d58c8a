namespace Runbooks.Approvals;

/// <summary>What a signed link says: this person may decide this gate of this incident, on this plan, until then.</summary>
public sealed record LinkGrant(string IncidentId, string GateId, string Recipient, string PlanHash, DateTimeOffset ExpiresAt);
