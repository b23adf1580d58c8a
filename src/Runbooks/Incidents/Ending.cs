using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Incidents.Activities;

namespace Runbooks.Incidents;

/// <summary>How an incident ends, and whether what was done is undone first.</summary>
internal sealed record Ending(IncidentState State, string Reason, bool Undo = false)
{
    public static Ending Of(GateView gate) => new(
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
        Undo: gate.Outcome != GateOutcome.TakenOver);

    public static Ending Of(StepSpec step, StepReport report) => report.End switch
    {
        StepEnd.Stopped => Stopped(report.Message),
        StepEnd.Unknown => new(IncidentState.Failed, $"Step '{step.Name}' cannot be repeated and its outcome is not known: {report.Message}"),
        _ => new(IncidentState.Failed, $"Step '{step.Name}': {report.Message}", Undo: true),
    };

    public static Ending Stopped(string by) => new(IncidentState.Cancelled, by, Undo: true);
}
