namespace Runbooks.Model.Incidents;

/// <summary>One alert (by the sender's fingerprint) that reached an incident, with how often and when.</summary>
public sealed record AttachedAlert(
    string Fingerprint, string Source, string Name, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, bool Resolved);
