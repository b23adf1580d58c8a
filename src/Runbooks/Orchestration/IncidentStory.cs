using Microsoft.DurableTask;

namespace Runbooks.Orchestration;

/// <summary>
/// Decides only from what activities returned and from recorded time, so that running it again after a crash takes the same path.
/// </summary>
internal sealed partial class IncidentStory
{
    /// <summary>Rounds of waiting after which a new execution goes on, with an empty history.</summary>
    public const int RoundsPerExecution = 50;

    /// <summary>For the store and the network. Failures of a step itself have the step's own retry.</summary>
    private const int PersistentAttempts = 8;

    /// <summary>How often it looks without an event.</summary>
    private static readonly TimeSpan s_watchPause = TimeSpan.FromMinutes(1);

    private static readonly TaskOptions s_persistent = Retry(PersistentAttempts, TimeSpan.FromSeconds(2), longest: TimeSpan.FromMinutes(1));

    private readonly TaskOrchestrationContext _context;
    private readonly IncidentInput _input;
    private readonly RunbookOutline _runbook;
    private readonly Checkpoint? _checkpoint;
    private readonly string _id;

    private string _gate;

    private int _round = 1;

    /// <summary>Whether any step may have run: only then is there something to undo.</summary>
    private bool _acted;

    private bool _verified;

    /// <summary>The event that an alert in the settle window raises; null until there is such a window.</summary>
    private string? _settle;
    private int _waits;
    private int _rounds;

    public IncidentStory(TaskOrchestrationContext context, IncidentInput input)
    {
        (_context, _input, _runbook, _id, _checkpoint) = (context, input, input.Runbook, input.IncidentId, input.Checkpoint);
        _gate = _checkpoint?.GateId ?? Gate.IdOf(Phase.Mitigation, 1);
        _acted = _checkpoint?.Acted ?? false;
        _verified = _checkpoint?.Verified ?? false;
        _waits = _checkpoint?.Waits ?? 0;
        _round = _checkpoint?.Round ?? 1;
    }

    public async Task<IncidentOutcome> RunAsync()
    {
        if (_checkpoint?.Stage != Stage.Settling)
        {
            var state = await RunToEndAsync();
            if (state != IncidentState.Resolved)
            {
                return new IncidentOutcome(state);
            }
        }

        await SettleAsync();
        return new IncidentOutcome(IncidentState.Resolved);
    }

    private async Task<IncidentState> RunToEndAsync()
    {
        try
        {
            var ending = await DiagnoseAsync()
                ?? await MitigateAsync()
                ?? await VerifyAsync()
                ?? await HoldAsync()
                ?? await ResolveAsync()
                ?? new Ending(IncidentState.Resolved, "");

            return ending.GoesOn ? IncidentState.Diagnosing
                : ending.IsRecorded ? ending.State
                : await CloseAsync(ending);
        }
        catch (TaskFailedException failure)
        {
            // A verified fix stays: it is the automation that broke.
            return await CloseAsync(Broken(failure) with { Undo = !_verified });
        }
    }

    /// <summary>
    /// Answers that call for nothing are not believed at once: the checks are asked again for a while, and for as long as an alert comes
    /// and goes. Where another incident covers this one, it waits for that to end first, and again before it asks people, since the other
    /// may have begun a moment later.
    /// </summary>
    private async Task<Ending?> DiagnoseAsync()
    {
        var healthySince = _checkpoint?.HealthySince;
        while (_checkpoint is null || _checkpoint.Stage == Stage.Diagnosis)
        {
            if ((await WaitForOtherAsync()).Ending is { } early)
            {
                return early;
            }

            Show(IncidentState.Diagnosing);
            await AskChecksAsync();
            if (_opened is not null)
            {
                return null;
            }

            if (_conclusion != Conclusion.Healthy)
            {
                healthySince = null;
                var (late, waited) = await WaitForOtherAsync();
                if (late is not null || !waited)
                {
                    return late;
                }

                continue;
            }

            // The time of measuring counts, not that of asking: what passed before the alert began says nothing about it.
            var measured = _measured.Until ?? Now;
            healthySince = NotAhead(healthySince ?? measured);
            var left = Later(healthySince.Value, _measured.FiringSince) + _runbook.HealthyFor - measured;
            var ending = new Ending(IncidentState.NotNeeded, "", Findings: _findings)
            {
                WatchUntil = left > TimeSpan.Zero ? Now + left : null,
            };
            var state = await CloseAsync(ending);
            if (state.IsFinal())
            {
                return ending with { State = state, IsRecorded = true };
            }

            var pause = left > TimeSpan.Zero ? Shorter(_runbook.Verify?.Every ?? Verify.DefaultEvery, left) : s_watchPause;
            await _context.CreateTimer(pause, CancellationToken.None);
            if (HasWaitedTooOften())
            {
                return ContinueAsNew(At(Stage.Diagnosis, Now) with { HealthySince = healthySince });
            }
        }

        return null;
    }

    private async Task<(Ending? Ending, bool Waited)> WaitForOtherAsync()
    {
        for (var waited = false; _runbook.MayWaitForOther; waited = true)
        {
            var wake = NextWake();
            var other = await _context.CallActivityAsync<SuppressionResult>(
                CheckSuppression.Name, new SuppressionRequest(_id, wake), s_persistent);
            if (other.StoppedBy is { } stoppedBy)
            {
                return (Ending.Stopped(stoppedBy), waited);
            }

            if (other.Recovered is { } why)
            {
                return (new(IncidentState.SelfRecovered, why), waited);
            }

            if (!other.Waits)
            {
                return (null, waited);
            }

            Show(IncidentState.Diagnosing, "waits for another incident");
            await WaitAsync(wake, s_watchPause);
            if (HasWaitedTooOften())
            {
                return (ContinueAsNew(At(Stage.Diagnosis, Now)), true);
            }
        }

        return (null, false);
    }

    private async Task AskChecksAsync()
    {
        var wake = _runbook.MayWaitForOther ? null : NextWake();
        try
        {
            DiagnosisResult answer;
            try
            {
                answer = await CallDiagnoseAsync(wake);
            }
            catch (TaskFailedException) when (wake is not null)
            {
                // Asking people may have failed: then the gate is opened by an activity of its own, after the checks.
                answer = await CallDiagnoseAsync(wake: null);
            }

            (_findings, _conclusion, _measured) = (answer.Findings, answer.Conclusion, (answer.MeasuredAt, answer.FiringSince));
            _opened = answer.Gate is { } gate ? (gate, wake!) : null;
        }
        catch (TaskFailedException failure)
        {
            // Whatever keeps the checks from being asked, people hear of it.
            _findings =
            [
                .. _runbook.Diagnosis.Select(check => new Finding(
                    check.Name, check.Ask, CheckResult.Unknown(failure.FailureDetails.ErrorMessage), Now, TimeSpan.Zero)),
            ];
            _conclusion = Diagnosis.Conclude(_runbook.When, _findings);
        }
    }

    private Task<DiagnosisResult> CallDiagnoseAsync(string? wake) =>
        _context.CallActivityAsync<DiagnosisResult>(Diagnose.Name, new DiagnosisRequest(_id, wake), s_persistent);

    private DateTimeOffset Now => new(DateTime.SpecifyKind(_context.CurrentUtcDateTime, DateTimeKind.Utc));

    /// <summary>A time noted by a clock that was ahead counts as now.</summary>
    private DateTimeOffset NotAhead(DateTimeOffset noted) => noted < Now ? noted : Now;

    private bool IsPast(Stage stage) => _checkpoint is { } checkpoint && checkpoint.Stage > stage;

    /// <summary>Counts a round of waiting. True when a new execution should go on.</summary>
    private bool HasWaitedTooOften() => ++_rounds > RoundsPerExecution;

    /// <summary>Unread events are dropped: the next execution reads the record first, and that has everything that counts.</summary>
    private Ending ContinueAsNew(Checkpoint checkpoint)
    {
        _context.ContinueAsNew(_input with { Checkpoint = checkpoint }, preserveUnprocessedEvents: false);
        return Ending.InNextExecution;
    }

    private Checkpoint At(Stage stage, DateTimeOffset began, int round = 1) => new(stage, _waits, _gate, _acted, _verified, round, began);

    private async Task<bool> WaitAsync(string wake, TimeSpan time)
    {
        try
        {
            // The sender of an event chooses its payload: any JSON has to fit, and none of it is read.
            await _context.WaitForExternalEvent<object?>(wake, time);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private Task<bool> WaitUntilAsync(DateTimeOffset time, string wake) => WaitAsync(wake, Longer(time - Now, TimeSpan.FromSeconds(1)));

    /// <summary>Each wait has an event name of its own, published by the activity before it.</summary>
    private string NextWake() => $"wake-{++_waits}";

    private void Show(IncidentState state, string? detail = null) => _context.SetCustomStatus(new IncidentStatus(state, detail));

    private static Ending Broken(TaskFailedException failure) =>
        new(IncidentState.Failed, EndingCause.Broke($"{failure.TaskName} failed: {failure.FailureDetails.ErrorMessage}"), Undo: true)
        {
            IsInconclusive = true,
        };

    private static TaskOptions Retry(int attempts, TimeSpan first, TimeSpan longest)
    {
        // Durable Task accepts neither a pause of 0 nor a bound below the first pause.
        first = Longer(first, TimeSpan.FromMilliseconds(1));
        return new TaskOptions(new TaskRetryOptions(new RetryPolicy(attempts, first, backoffCoefficient: 2, Longer(longest, first))));
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

public sealed class IncidentOrchestrator : TaskOrchestrator<IncidentInput, IncidentOutcome>
{
    public static readonly TaskName Name = nameof(IncidentOrchestrator);

    /// <summary>
    /// Raised when recorded histories would no longer replay. An incident of another version then fails and pages people: half of one
    /// story and half of another would be worse.
    /// </summary>
    public const string Version = "3.0";

    /// <summary>
    /// Where a history does not fit, Durable Task fails the instance before the refusal below is seen, in words for developers.
    /// </summary>
    /// <param name="type">The type of the failure, as Durable Task keeps it.</param>
    public static string? FailureText(string? type, string? message) =>
        type == typeof(DurableTask.Core.Exceptions.NonDeterministicOrchestrationException).FullName
            ? $"What is recorded of the incident does not fit the workflow {Version} that this program runs; most likely it began under another version. "
                + $"Finish it by hand. ({message})"
            : message;

    public override Task<IncidentOutcome> RunAsync(TaskOrchestrationContext context, IncidentInput input) =>
        context.Version == Version
            ? new IncidentStory(context, input).RunAsync()
            : throw new InvalidOperationException(
                $"The incident began under version {context.Version} of the workflow, "
                    + $"and this program runs version {Version}. Finish it by hand.");
}
