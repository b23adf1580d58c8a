namespace Runbooks.Model.Incidents;

/// <summary>
/// One line of an incident's record, which is also its audit: who, when, what. Append-only; each line's
/// <see cref="Hash"/> covers the line before it, so a removed or altered one shows.
/// </summary>
public sealed record TimelineEntry(int Number, DateTimeOffset At, TimelineKind Kind, string Who, string What, string Hash);

public enum TimelineKind { Opened, Alert, Diagnosis, Gate, Decision, Message, Step, Verification, Lease, Undo, Safety, Closed }
