namespace Runbooks.Model.Incidents;

/// <summary>One person's answer to a gate.</summary>
/// <param name="Person">Who, as proven by the way it came: the link's recipient, the signed-in person, the Slack user, the key's holder.</param>
/// <param name="Via">How it came: <c>link</c>, <c>api</c>, <c>slack</c>.</param>
/// <param name="PlanHash">The plan that the person was shown; null where the way it came shows none.</param>
public sealed record Decision(
    Verb Verb, string Person, string Via, DateTimeOffset At, string? Reason = null, string? PlanHash = null);

public enum Verb { Approve, Reject, TakeOver }
