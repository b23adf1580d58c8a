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
public sealed partial class IncidentWorkflow
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
