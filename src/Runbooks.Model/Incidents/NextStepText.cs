namespace Runbooks.Model.Incidents;

public static class NextStepText
{
    /// <summary>For several incidents that were taken over at different times.</summary>
    public static readonly string CloseEach =
        "Close each incident that was taken over when it is over. "
        + $"Until then, for at most {DurationText.Format(Incident.LongestOwnership)}, more alerts on its target are kept in it and page "
        + "nobody unless one is more severe.";

    public static string Of(Incident incident, DateTimeOffset now) =>
        $"{First(incident, now)}{(incident.NeedsPerson ? " Acknowledge it first, so that others see that you are on it." : "")}";

    private static string First(Incident incident, DateTimeOffset now) =>
        OfClosed(incident)
        ?? OfTakingBack(incident, now)
        ?? OfWhatNeedsALook(incident)
        ?? OfTryingAgain(incident)
        ?? OfQuestion(incident.OpenGate, now)
        ?? (incident.State.IsFinal() ? AfterEnd(incident, now) : WhileItRuns(incident));

    private static string? OfClosed(Incident incident) =>
        incident.ClosedByHand?.By is { } by ? $"{by} has closed it already. Look whether that fits what is known now." : null;

    private static string? OfTakingBack(Incident incident, DateTimeOffset now)
    {
        var steps = EndingText.Names(incident.Steps.Where(step => step.IsToBeTakenBack));
        if (incident.State.IsFinal() || incident is not { UndoBeganAt: not null, OpenGate: null } || steps.Length == 0)
        {
            return null;
        }

        if (incident.WaitsUntil is { } until && until > now && incident.Steps.Any(step => step.UndoFailingSince is not null))
        {
            return $"It is tried again until {GateText.Clock(until, now)}: {steps}. "
                + "Look whether what that needs answers, or take it back by hand.";
        }

        return incident.WaitsUntil > now
            ? $"Release the kill switch under Safety (role admin) if it is on, and within half an hour this is taken back: {steps}. "
                + "Or take it back by hand."
            : $"This is being taken back: {steps}. Open the incident and look whether that comes to an end.";
    }

    private static string? OfWhatNeedsALook(Incident incident)
    {
        if (EndingText.Names(incident, StepStatus.UndoFailed) is { Length: > 0 } stuck)
        {
            return $"Take back by hand what could not be undone: {stuck}.{ThenClose(incident)}";
        }

        if (EndingText.Names(incident, StepStatus.Unknown) is { Length: > 0 } unknown)
        {
            var mayBeTriedAgain = incident.CanBeClosedByHand() && incident.RetriedAs is null;
            return $"Look whether {unknown} happened: nobody "
                + $"knows.{(mayBeTriedAgain ? " Then close the incident, or try it again." : ThenClose(incident))}";
        }

        return incident.State.IsFinal() && EndingText.Names(incident, StepStatus.LeftAlone) is { Length: > 0 } left
            ? $"It was left alone, and nobody takes it back now: {left}. The step says why. "
                + $"Look whether it may stay so.{ThenClose(incident)}"
            : null;
    }

    private static string? OfTryingAgain(Incident incident) =>
        incident.RetriedAs is not { } next ? null
        : OfWhatWasKept(incident) is { } kept ? $"Incident {next} tries it again. {kept}"
        : $"Incident {next} tries it again.";

    private static string? OfQuestion(Gate? gate, DateTimeOffset now) =>
        gate is null || now >= gate.ExpiresAt ? null
        : gate.Task is null ? $"Answer the question before {GateText.Clock(gate.ExpiresAt, now)}: {gate.Question}"
        : $"Do it, or find somebody who can, and say so before {GateText.Clock(gate.ExpiresAt, now)}: {gate.Question}";

    private static string WhileItRuns(Incident incident) => incident switch
    {
        { Stop: { } stop } => $"{stop.By} has asked for it to be stopped. Open the incident and look whether it comes to its end.",
        { State: IncidentState.Holding } =>
            "Look at the cause: the temporary fix stays until it is gone. "
            + "To take the fix back at once, use 'Take back now' on the incident.",
        _ => OfWhatWasKept(incident) ?? "Open the incident and look where it stands. Stop it if it should not go on by itself.",
    };

    private static string AfterEnd(Incident incident, DateTimeOffset now) =>
        AfterEnd(incident, incident.Gates.LastOrDefault(gate => gate.Task is not { Undoes: true }), now);

    /// <param name="asked">What was asked last before anything was to be taken back.</param>
    private static string AfterEnd(Incident incident, Gate? asked, DateTimeOffset now) => incident switch
    {
        { State: IncidentState.Expired } when asked is { Outcome: GateOutcome.Expired, Task: not null } =>
            "Nobody said in time that it was done, so what comes after it did not run. "
            + "Look whether it was, then close the incident, or try it again.",
        { State: IncidentState.Failed, HasReachedResolution: true } when asked is { Outcome: GateOutcome.Rejected, Task: { } task } =>
            $"'{task.Step}' could not be done, so what comes after it did not run. See why before you do any of that by hand: "
            + $"it may be wrong now.{ThenClose(incident)} Trying it again starts over with the checks.",
        { State: IncidentState.Expired, HasReachedResolution: true } => OfResolution("was not approved in time", incident),
        { State: IncidentState.Failed, HasReachedResolution: true } => OfResolution("did not come to its end", incident),
        { State: IncidentState.Expired } =>
            "It was not approved in time, so nothing more is done. Look at what was found, then fix it by hand and close the incident, "
            + "or try it again.",
        { State: IncidentState.Failed, IsInconclusive: true } when EndingText.HasMitigated(incident) =>
            "Look whether it is well: nothing shows whether the fix helped. If it is, close the incident; "
            + "if not, fix it by hand or try it again.",
        { State: IncidentState.Failed } => "Fix it by hand and close the incident, or try it again.",
        { SettlesAt: { } until } when incident.IsOwnedByResponder() =>
            "The automation does nothing more, and undoes nothing. Until this incident is closed, at the latest until "
            + $"{GateText.Clock(until, now)}, "
            + "more alerts on this target are kept in it and page nobody unless one is more severe. Close it when it is over.",
        _ when OfWhatWasKept(incident) is { } kept => $"{kept}{ThenClose(incident)}",
        _ => $"Look whether anything is left to do{(incident.CanBeClosedByHand() ? ", then close the incident" : "")}.",
    };

    private static string OfResolution(string how, Incident incident) =>
        $"The resolution {how}. Do by hand what is left of it.{ThenClose(incident)} Trying it again starts over with the checks.";

    private static string? OfWhatWasKept(Incident incident) =>
        EndingText.Names(incident, StepStatus.Kept) is { Length: > 0 } kept ? $"Decide what becomes of what was left on purpose: {kept}." : null;

    private static string ThenClose(Incident incident) => incident.CanBeClosedByHand() ? " Then close the incident." : "";
}
