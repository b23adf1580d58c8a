namespace Runbooks.SignedLinks;

/// <summary>What a signed link says: this person may decide this gate of this incident, on this plan, until then.</summary>
public sealed record LinkGrant(string IncidentId, string GateId, string Recipient, string PlanHash, DateTimeOffset ExpiresAt);

/// <summary>What a storm's link says: this person may see, and decide, what a runbook's incidents since then ask them.</summary>
public sealed record StormGrant(string RunbookId, DateTimeOffset Since, string Recipient, DateTimeOffset ExpiresAt);
