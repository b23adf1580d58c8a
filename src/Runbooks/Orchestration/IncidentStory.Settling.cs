using Microsoft.DurableTask;
using Runbooks.Approvals;

namespace Runbooks.Orchestration;

/// <content>The end, and the settle window after it.</content>
internal sealed partial class IncidentStory
{
    private async Task<IncidentState> CloseAsync(Ending ending)
    {
        if (ending.Undo && _acted)
        {
            var undone = await UndoAsync(new(_id, ending.Reason));

            // Something is left in place: whatever the ending was, a person is needed now.
            ending = undone.Complete ? ending : ending with { State = IncidentState.Failed };
        }

        Show(ending.State);

        // Recorded as resolved by a first attempt that broke afterwards, it keeps its window, whatever this one would end it as.
        _settle = ending.State == IncidentState.Resolved && _runbook.SettleFor > TimeSpan.Zero ? NextWake() : _settle;
        var state = await _context.CallActivityAsync<IncidentState>(
            EndIncident.Name, new CloseRequest(_id, ending.State, ending.Reason, ending.Findings ?? [], _settle, ending.InResolution, ending.IsInconclusive, ending.WatchUntil), s_persistent);
        if (state.IsFinal() || ending.State == IncidentState.NotNeeded)
        {
            return state;
        }

        // Somebody stopped it since the record was read last. What has failed all the same needs a person.
        _acted = true;
        return await CloseAsync(ending.State == IncidentState.Failed ? ending with { Undo = true } : Ending.Stopped(EndingCause.Stopped));
    }

    /// <summary>
    /// For a while after a verified fix an alert on the target is looked into: either the fix holds, or a new incident opens. The last look
    /// is when the window has ended: an alert may have come while nobody looked, or have woken nobody.
    /// </summary>
    private async Task SettleAsync()
    {
        var resumed = _checkpoint?.Stage == Stage.Settling;
        if (_runbook.Verify is not { } verify || !(resumed || _settle is not null))
        {
            return;
        }

        var began = BeganOf(Stage.Settling);
        var until = began + _runbook.SettleFor;
        var wake = _settle;
        var unclear = false;
        var isLast = false;
        try
        {
            // A new execution has nothing to wait for before it has asked: an alert may have come while it began. What could not
            // be answered is asked again.
            while (wake is null || unclear || (Now < until && await WaitUntilAsync(until, wake)) || (_runbook.LooksAfterSettling && !isLast))
            {
                if (HasWaitedTooOften() && Now < until)
                {
                    ContinueAsNew(At(Stage.Settling, began));
                    return;
                }

                wake = NextWake();
                isLast = Now >= until;
                var round = await LookAsync(verify.Checks, wake, until);
                if (round is { Healthy: false })
                {
                    return;
                }

                unclear = round?.IsUnclear ?? true;
                if (isLast && _runbook.LooksAfterSettling)
                {
                    return;
                }

                // However many alerts come, the checks are asked no more often than while verifying.
                await _context.CreateTimer(verify.Every, CancellationToken.None);
            }
        }
        catch (TaskFailedException failure)
        {
            await PageAsync("settle", $"Whether the fix still holds could not be found out ({failure.FailureDetails.ErrorMessage}). Alerts on the target since the fix were not all looked into; look whether one fires.");
        }
    }

    /// <returns>Null when it could not be looked while there is time to look again.</returns>
    private async Task<RecheckResult?> LookAsync(IReadOnlyList<string> checks, string wake, DateTimeOffset until)
    {
        try
        {
            return await RecheckAsync(IncidentState.Resolved, checks, wake);
        }
        catch (TaskFailedException) when (Now < until)
        {
            return null;
        }
    }
}

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
