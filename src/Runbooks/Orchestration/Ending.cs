using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <param name="Reason">What ended it. What was done, and with what result, comes from the record.</param>
internal sealed record Ending(
    IncidentState State, string Reason, bool Undo = false, IReadOnlyList<Finding>? Findings = null, bool InResolution = false)
{
    /// <summary>Not an end: the next execution goes on.</summary>
    public static readonly Ending InNextExecution = new(default, "");

    /// <summary>The reason says nothing about the fix: the automation broke, or was kept from acting.</summary>
    public bool IsInconclusive { get; init; }

    /// <summary>The checks are asked until then before this end is believed; null once they were.</summary>
    public DateTimeOffset? WatchUntil { get; init; }

    /// <summary>A person wants the changes to be taken back, or was told that they are, whatever the phase.</summary>
    public bool TakesBack { get; init; }

    public bool IsRecorded { get; init; }

    public bool GoesOn => ReferenceEquals(this, InNextExecution);

    public static Ending Of(GateStatus gate) => new(
        gate.Outcome switch
        {
            GateOutcome.Rejected => IncidentState.Rejected,
            GateOutcome.TakenOver => IncidentState.TakenOver,
            GateOutcome.Expired => IncidentState.Expired,
            GateOutcome.SelfRecovered => IncidentState.SelfRecovered,
            GateOutcome.Cancelled => IncidentState.Cancelled,
            GateOutcome.DiagnosedOnly or GateOutcome.Suppressed => IncidentState.NotNeeded,
            _ => IncidentState.Failed,
        },
        gate.Reason ?? "",
        // A later round is asked after earlier steps have run. A person who takes over finds things as they are.
        Undo: gate.Outcome != GateOutcome.TakenOver) { TakesBack = gate is { Outcome: GateOutcome.Cancelled, TakesBack: true } };

    public static Ending Of(string step, StepResult report) => report.End switch
    {
        StepOutcome.Stopped => Stopped(report.Message) with { TakesBack = report.TakesBack },
        StepOutcome.Held or StepOutcome.Waiting =>
            new(IncidentState.Failed, EndingCause.StepHeldTooLong(step, report.Message), Undo: true) { IsInconclusive = true },
        StepOutcome.Unknown => new(IncidentState.Failed, EndingCause.StepUnknown(step, report.Message)),
        _ => new(IncidentState.Failed, EndingCause.StepFailed(step, report.Message), Undo: true)
        {
            IsInconclusive = report.End != StepOutcome.Failed,
        },
    };

    public static Ending Stopped(string by) => new(IncidentState.Cancelled, by, Undo: true);
}
