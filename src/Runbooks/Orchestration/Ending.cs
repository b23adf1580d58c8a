using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <summary>How an incident ends, and whether what was done is undone first.</summary>
/// <param name="Reason">What ended it; what was done and what became of it is made from the record.</param>
/// <param name="Findings">Answers that are not on record yet.</param>
/// <param name="InResolution">It ended while the resolution was to run.</param>
internal sealed record Ending(IncidentState State, string Reason, bool Undo = false, IReadOnlyList<Finding>? Findings = null, bool InResolution = false)
{
    /// <summary>No end at all: the next execution goes on.</summary>
    public static readonly Ending InNextExecution = new(default, "");

    /// <summary>Whether it ended for a reason that says nothing about the fix: the automation broke, or was kept from acting.</summary>
    public bool IsInconclusive { get; init; }

    /// <summary>Until when the checks are looked at before this end is believed, unless the sender says so too; null once they were.</summary>
    public DateTimeOffset? WatchUntil { get; init; }

    /// <summary>A person wants what was changed to be taken back, or was told that it is, whatever the phase.</summary>
    public bool TakesBack { get; init; }

    /// <summary>Whether it is on record already.</summary>
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
        // A later round is asked after earlier steps have run. Whoever takes over finds things as they are.
        Undo: gate.Outcome != GateOutcome.TakenOver) { TakesBack = gate is { Outcome: GateOutcome.Cancelled, TakesBack: true } };

    public static Ending Of(string step, StepResult report) => report.End switch
    {
        StepOutcome.Stopped => Stopped(report.Message) with { TakesBack = report.TakesBack },
        StepOutcome.Held or StepOutcome.Waiting =>
            new(IncidentState.Failed, EndingCause.StepHeldTooLong(step, report.Message), Undo: true) { IsInconclusive = true },
        StepOutcome.Unknown => new(IncidentState.Failed, EndingCause.StepUnknown(step, report.Message)),
        _ => new(IncidentState.Failed, EndingCause.StepFailed(step, report.Message), Undo: true) { IsInconclusive = report.End != StepOutcome.Failed },
    };

    public static Ending Stopped(string by) => new(IncidentState.Cancelled, by, Undo: true);
}
