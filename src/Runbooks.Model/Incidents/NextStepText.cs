namespace Runbooks.Model.Incidents;

/// <summary>What a person who is paged does next: the first thing, in a sentence or two.</summary>
public static class NextStepText
{
    public static string Of(Incident incident, DateTimeOffset now)
    {
        var stuck = Names(incident, StepStatus.UndoFailed);
        var left = Names(incident, StepStatus.LeftAlone);
        var kept = Names(incident, StepStatus.Kept);
        var unknown = Names(incident, StepStatus.Unknown);
        return incident switch
        {
            _ when stuck.Length > 0 => $"Take back by hand what could not be undone: {stuck}. Then close the incident.",
            _ when unknown.Length > 0 => $"Look whether {unknown} happened: nobody knows. Then close the incident, or try it again.",
            _ when left.Length > 0 && incident.State.IsFinal() => $"Somebody else has changed what was to be taken back, so it was left alone: {left}. Look whether it may stay so. Then close the incident.",
            { OpenGate: { Task: not null } work } when now < work.ExpiresAt => $"Do it, or find somebody who can, and say so before {GateText.Clock(work.ExpiresAt, now)}: {work.Question}",
            { OpenGate: { } gate } when now < gate.ExpiresAt => $"Answer the question before {GateText.Clock(gate.ExpiresAt, now)}: {gate.Question}",
            { State: IncidentState.Holding } => "Look at the cause: the temporary fix stays until it is gone. Stop the incident to take the fix back now.",
            { State: IncidentState.Expired } => "It was not approved in time, so nothing more is done. Look at what was found, then fix it by hand and close the incident, or try it again.",
            { State: IncidentState.Failed } => $"Fix it by hand and close the incident, or try it again.{(incident.Attention?.AcknowledgedBy is null ? " Acknowledge it first, so that others see that you look." : "")}",
            _ when kept.Length > 0 => $"Decide what becomes of what was left on purpose: {kept}. Then close the incident.",
            _ when incident.State.IsFinal() => "Look whether anything is left to do, then close the incident.",
            _ => "Open the incident and look where it stands. Take it over, or stop it, if it should not go on by itself.",
        };
    }

    private static string Names(Incident incident, StepStatus status) => string.Join(", ", incident.Steps.Where(step => step.Status == status).Select(step => step.Name));
}
