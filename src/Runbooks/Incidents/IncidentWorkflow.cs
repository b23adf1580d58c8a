using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Engine;
using Runbooks.Incidents.Activities;
using Runbooks.Steps;

namespace Runbooks.Incidents;

/// <summary>
/// The story of an incident. Deterministic: it decides only from what activities returned and from recorded time, so
/// that running it again after a crash takes the same path.
/// </summary>
public sealed class IncidentWorkflow
{
    /// <summary>The name under which engines register it.</summary>
    public const string Name = "IncidentOrchestrator";

    /// <summary>A plan that changes this often under people's eyes is not worth asking about again.</summary>
    private const int MaxRounds = 5;

    /// <summary>For what every activity needs: the store, the network. What a step itself may fail at is the step's own retry.</summary>
    private static readonly RetryPolicy Persistent = new(8, TimeSpan.FromSeconds(2), Backoff: 2, MaxDelay: TimeSpan.FromMinutes(1));

    private const int MaxUndoAttempts = 4;
    private static readonly TimeSpan UndoPause = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestLeasePause = TimeSpan.FromMinutes(5);

    private readonly IWorkflowContext _context;
    private readonly Runbook _runbook;
    private readonly string _id;

    /// <summary>The gate that covers the steps that run now.</summary>
    private string _gate = Gate.IdOf(Phase.Mitigation, 1);

    /// <summary>Whether any step was given a chance to run: only then is there something to undo.</summary>
    private bool _acted;

    /// <summary>The fix was seen to work.</summary>
    private bool _fixed;

    /// <summary>The event that an alert in the settle window raises; null until there is such a window.</summary>
    private string? _settle;
    private int _waits;

    private IncidentWorkflow(IWorkflowContext context, IncidentInput input)
    {
        _context = context;
        _runbook = input.Runbook;
        _id = input.IncidentId;
    }

    /// <returns>How the incident ended.</returns>
    public static Task<IncidentState> RunAsync(IWorkflowContext context, IncidentInput input) =>
        new IncidentWorkflow(context, input).RunAsync();

    private async Task<IncidentState> RunAsync()
    {
        try
        {
            var state = await TellAsync();
            if (state != IncidentState.Resolved)
            {
                return state;
            }
        }
        catch (ActivityFailedException failure)
        {
            // A fix that was seen to work stays: it is the automation that broke.
            return await CloseAsync(new(IncidentState.Failed, $"The automation broke: {failure.Message}", Undo: !_fixed), []);
        }

        await SettleAsync();
        return IncidentState.Resolved;
    }

    /// <summary>For a while after a verified fix an alert on the target is looked into: either the fix holds, or a new incident opens.</summary>
    private async Task SettleAsync()
    {
        if (_settle is not { } wake || _runbook.Mitigation.Verify is not { } verify)
        {
            return;
        }

        var until = _context.UtcNow + _runbook.Limits.SettleFor;
        try
        {
            while (_context.UtcNow < until && await WaitUntilAsync(until, wake))
            {
                wake = NextWake();
                var look = await LookAsync(IncidentState.Resolved, verify.Checks, wake);
                if (!look.Healthy)
                {
                    return;
                }

                // However many alerts come, the checks are asked no more often than while verifying.
                await _context.CreateTimerAsync(verify.Every);
            }
        }
        catch (ActivityFailedException)
        {
            // The incident has ended well; an alert after the window opens a new one.
        }
    }

    private async Task<IncidentState> TellAsync()
    {
        var findings = await DiagnoseAsync();
        var conclusion = Diagnosis.Conclude(_runbook, findings);
        if (conclusion == Conclusion.Healthy)
        {
            return await CloseAsync(new(IncidentState.NotNeeded, "Every check passed; nothing was done."), findings);
        }

        var ending = await MitigateAsync(findings, conclusion)
            ?? await VerifyAsync()
            ?? await HoldAsync()
            ?? await ResolveAsync()
            ?? new Ending(IncidentState.Resolved, "The fix was verified.");

        return await CloseAsync(ending, []);
    }

    private async Task<IReadOnlyList<Finding>> DiagnoseAsync()
    {
        Show(IncidentState.Diagnosing);
        return await Task.WhenAll(_runbook.Diagnosis.Select(AskAsync));
    }

    private async Task<Finding> AskAsync(CheckSpec check)
    {
        try
        {
            return await _context.CallActivityAsync(IncidentActivities.AskCheck, new CheckRequest(_id, check.Name), Persistent);
        }
        catch (ActivityFailedException failure)
        {
            return new Finding(check.Name, check.Ask, CheckResult.Unknown(failure.Failure), _context.UtcNow, TimeSpan.Zero);
        }
    }

    private Task<Ending?> MitigateAsync(IReadOnlyList<Finding> findings, Conclusion conclusion) =>
        ActAsync(Phase.Mitigation, findings, unclear: conclusion == Conclusion.Unclear);

    private async Task<Ending?> ResolveAsync()
    {
        if (_runbook.Resolution.Steps.Count == 0)
        {
            return null;
        }

        var ending = _runbook.Resolution.Approval is null
            ? (await RunStepsAsync(Phase.Resolution, _gate)).Ending
            : await ActAsync(Phase.Resolution, [], unclear: false);

        // The bleeding has stopped and was seen to stop: what remains is the cause, and a person is told so.
        return ending is null ? null : ending with { Undo = false, Reason = $"The mitigation holds, but the resolution did not run: {ending.Reason}" };
    }

    /// <summary>Asks, then acts. A plan that no longer holds when it is about to run is asked about again.</summary>
    private async Task<Ending?> ActAsync(Phase phase, IReadOnlyList<Finding> findings, bool unclear)
    {
        string? difference = null;
        for (var round = 1; round <= MaxRounds; round++)
        {
            var gate = await AskPeopleAsync(phase, round, round == 1 ? findings : [], unclear, difference);
            if (gate.Outcome != GateOutcome.Approved)
            {
                return Ending.Of(gate);
            }

            _gate = gate.GateId;
            var (ending, changed) = await RunStepsAsync(phase, gate.GateId);
            if (changed is null)
            {
                return ending;
            }

            difference = changed;
        }

        return new(IncidentState.Failed, $"The plan changed {MaxRounds} times before it could run; last: {difference}", Undo: true);
    }

    private async Task<GateView> AskPeopleAsync(Phase phase, int round, IReadOnlyList<Finding> findings, bool unclear, string? difference)
    {
        var wake = NextWake();
        var gate = await _context.CallActivityAsync(
            IncidentActivities.OpenGate, new GateRequest(_id, phase, round, findings, unclear, difference, wake), Persistent);

        while (gate.Outcome == GateOutcome.Pending)
        {
            Show(IncidentState.AwaitingApproval, gate.GateId);
            await WaitUntilAsync(gate.NextLook, wake);

            // The event, if one came, proves nothing. What counts is what the store says was decided.
            wake = NextWake();
            gate = await _context.CallActivityAsync(IncidentActivities.ReviewGate, new GateReview(_id, gate.GateId, wake), Persistent);
        }

        return gate;
    }

    private async Task<(Ending? Ending, string? PlanChanged)> RunStepsAsync(Phase phase, string gateId)
    {
        Show(phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving);
        _acted = true;
        foreach (var step in _runbook.StepsOf(phase))
        {
            var report = await RunStepAsync(phase, step, gateId);
            if (report.End == StepEnd.PlanChanged)
            {
                return (null, report.Message);
            }

            if (report.End != StepEnd.Done)
            {
                return (Ending.Of(step, report), null);
            }
        }

        return (null, null);
    }

    private async Task<StepReport> RunStepAsync(Phase phase, StepSpec step, string gateId)
    {
        var retry = new RetryPolicy(step.Retry.Attempts + Persistent.MaxAttempts, step.Retry.Delay, Backoff: 2, MaxDelay: TimeSpan.FromMinutes(5));
        try
        {
            return await _context.CallActivityAsync(IncidentActivities.RunStep, new StepRequest(_id, phase, step.Name, gateId), retry);
        }
        catch (ActivityFailedException failure)
        {
            return new StepReport(StepEnd.Failed, failure.Failure);
        }
    }

    private async Task<Ending?> VerifyAsync()
    {
        if (_runbook.Mitigation.Verify is not { } verify)
        {
            return null;
        }

        Show(IncidentState.Verifying);
        var deadline = _context.UtcNow + verify.Within;
        while (true)
        {
            var wake = NextWake();
            var look = await LookAsync(IncidentState.Verifying, verify.Checks, wake);
            if (look.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            if (look.Healthy)
            {
                _fixed = true;
                return null;
            }

            if (_context.UtcNow + verify.Every > deadline)
            {
                return new(IncidentState.Failed, $"The fix did not help: {look.Summary}", Undo: true);
            }

            await _context.WaitForExternalEventAsync(wake, verify.Every);
        }
    }

    /// <summary>Keeps a temporary mitigation in place until the cause has been gone for a while, then reverts it.</summary>
    private async Task<Ending?> HoldAsync()
    {
        if (_runbook.Mitigation.HoldUntil is not { } hold)
        {
            return null;
        }

        Show(IncidentState.Holding);
        var began = _context.UtcNow;
        DateTimeOffset? healthySince = null;
        var pause = hold.Every;
        var paged = false;
        while (true)
        {
            var wake = NextWake();
            var look = await LookAsync(IncidentState.Holding, hold.Checks, wake);
            if (look.StoppedBy is { } stoppedBy)
            {
                return Ending.Stopped(stoppedBy);
            }

            // While the cause lasts, looks grow rarer: an outage of a day must not make a history of thousands of events.
            healthySince = look.Healthy ? healthySince ?? _context.UtcNow : null;
            pause = look.Healthy ? hold.Every : Min(pause * 2, LongestLeasePause);
            if (healthySince is { } since && _context.UtcNow - since >= hold.StableFor)
            {
                break;
            }

            if (!paged && _context.UtcNow - began >= hold.AtMost)
            {
                paged = true;
                await _context.CallActivityAsync(IncidentActivities.Page, new PageRequest(
                    _id, "lease", $"The temporary mitigation has been in place for {hold.AtMost} and the cause is still there: {look.Summary}"), Persistent);
            }

            await _context.WaitForExternalEventAsync(wake, pause);
        }

        var undone = await UndoAsync("The cause is gone: the temporary mitigation is reverted.");
        return undone.Complete ? null : new(IncidentState.Failed, $"The temporary mitigation could not be reverted: {undone.Message}");
    }

    private Task<LookReport> LookAsync(IncidentState state, IReadOnlyList<string> checks, string wake) =>
        _context.CallActivityAsync(IncidentActivities.LookAgain, new LookRequest(_id, state, checks, wake), Persistent);

    /// <summary>What could not be undone is tried again for a while: leaving it in place is the worse end.</summary>
    private async Task<UndoReport> UndoAsync(string why)
    {
        for (var attempt = 1; ; attempt++)
        {
            var report = await _context.CallActivityAsync(IncidentActivities.UndoSteps, new UndoRequest(_id, why), Persistent);
            if (report.Complete || attempt == MaxUndoAttempts)
            {
                return report;
            }

            await _context.CreateTimerAsync(UndoPause * attempt);
        }
    }

    private async Task<IncidentState> CloseAsync(Ending ending, IReadOnlyList<Finding> findings)
    {
        if (ending.Undo && _acted)
        {
            var undone = await UndoAsync(ending.Reason);

            // Something is left in place: whatever the ending was, a person is needed now.
            ending = ending with
            {
                State = undone.Complete ? ending.State : IncidentState.Failed,
                Reason = $"{ending.Reason} {undone.Message}".TrimEnd(),
            };
        }

        Show(ending.State);
        _settle = ending.State == IncidentState.Resolved && _runbook.Limits.SettleFor > TimeSpan.Zero ? NextWake() : null;
        return await _context.CallActivityAsync(IncidentActivities.Close, new CloseRequest(_id, ending.State, ending.Reason, findings, _settle), Persistent);
    }

    private Task<bool> WaitUntilAsync(DateTimeOffset time, string wake)
    {
        var wait = time - _context.UtcNow;
        return _context.WaitForExternalEventAsync(wake, wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1));
    }

    /// <summary>Each wait has a name of its own, published by the activity before it.</summary>
    private string NextWake() => $"wake-{++_waits}";

    private void Show(IncidentState state, string? detail = null) => _context.SetCustomStatus(new IncidentStatus(state, detail));

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
