namespace Runbooks.Model.Incidents;

/// <summary>What a person who is paged does next: the first thing, in a sentence or two.</summary>
public static class NextStepText
{
    /// <summary>Of several that were taken over, each at its own moment.</summary>
    public static readonly string CloseEach =
        $"Close each incident that was taken over when it is over. Until then, for at most {DurationText.Format(Incident.LongestOwnership)}, more alerts on its target are kept in it and page nobody unless one is more severe.";

    public static string Of(Incident incident, DateTimeOffset now) =>
        $"{First(incident, now)}{(incident.NeedsPerson ? " Acknowledge it first, so that others see that you are on it." : "")}";

    private static string First(Incident incident, DateTimeOffset now)
    {
        var final = incident.State.IsFinal();
        var close = incident.CanBeClosedByHand();
        var thenClose = close ? " Then close the incident." : "";
        var back = EndingText.Names(incident.Steps.Where(step => step.IsToBeTakenBack));
        var stuck = EndingText.Names(incident, StepStatus.UndoFailed);
        var left = EndingText.Names(incident, StepStatus.LeftAlone);
        var kept = EndingText.Names(incident, StepStatus.Kept);
        var unknown = EndingText.Names(incident, StepStatus.Unknown);
        return incident switch
        {
            { ClosedByHand.By: { } by } => $"{by} has closed it already. Look whether that fits what is known now.",
            { UndoBeganAt: not null, OpenGate: null } when !final && back.Length > 0 => incident.WaitsUntil > now
                ? $"Release the kill switch under Safety (role admin) if it is on, and within half an hour this is taken back: {back}. Or take it back by hand."
                : $"This is being taken back: {back}. Open the incident and look whether that comes to an end.",
            _ when stuck.Length > 0 => $"Take back by hand what could not be undone: {stuck}.{thenClose}",
            _ when unknown.Length > 0 => $"Look whether {unknown} happened: nobody knows.{(close && incident.RetriedAs is null ? " Then close the incident, or try it again." : thenClose)}",
            _ when left.Length > 0 && final => $"Somebody else has changed what was to be taken back, so it was left alone: {left}. Look whether it may stay so.{thenClose}",
            { RetriedAs: { } next } => $"Incident {next} tries it again.{(kept.Length > 0 ? $" Decide what becomes of what was left on purpose: {kept}." : "")}",
            { OpenGate: { Task: not null } work } when now < work.ExpiresAt => $"Do it, or find somebody who can, and say so before {GateText.Clock(work.ExpiresAt, now)}: {work.Question}",
            { OpenGate: { } gate } when now < gate.ExpiresAt => $"Answer the question before {GateText.Clock(gate.ExpiresAt, now)}: {gate.Question}",
            { Stop: { } stop } when !final => $"{stop.By} has asked for it to be stopped. Open the incident and look whether it comes to its end.",
            { State: IncidentState.Holding } => "Look at the cause: the temporary fix stays until it is gone. To take the fix back at once, use 'Take back now' on the incident.",
            { State: IncidentState.Expired, LatestGate.Task: not null } => "Nobody said in time that it was done. Look whether it was, then close the incident, or try it again.",
            { State: IncidentState.Expired or IncidentState.Failed, HasReachedResolution: true } =>
                $"The resolution {(incident.State == IncidentState.Expired ? "was not approved in time" : "did not come to its end")}. Do by hand what is left of it.{thenClose} Trying it again starts over with the checks.",
            { State: IncidentState.Expired } => "It was not approved in time, so nothing more is done. Look at what was found, then fix it by hand and close the incident, or try it again.",
            { State: IncidentState.Failed } => "Fix it by hand and close the incident, or try it again.",
            { SettlesAt: { } until } when incident.IsOwnedByResponder() =>
                $"The automation does nothing more, and undoes nothing. Until this incident is closed, at the latest until {GateText.Clock(until, now)}, more alerts on this target are kept in it and page nobody unless one is more severe. Close it when it is over.",
            _ when kept.Length > 0 => $"Decide what becomes of what was left on purpose: {kept}.{thenClose}",
            _ when final => $"Look whether anything is left to do{(close ? ", then close the incident" : "")}.",
            _ => "Open the incident and look where it stands. Stop it if it should not go on by itself.",
        };
    }
}
