using Microsoft.Extensions.Logging;
using Runbooks.Incidents;

namespace Runbooks.Engine.Replay;

/// <summary>What a <see cref="WorkflowRun"/> shows to the workflow's code.</summary>
internal sealed class WorkflowContext(string instanceId, WorkflowRun run, ILogger logger) : IWorkflowContext
{
    public const string Foreign = "The workflow awaited something that the engine did not give it. "
        + "After a restart that could not be answered again: use the context's timers, events and activities, without ConfigureAwait(false).";

    private const int StatusLimit = 8_000;

    public string InstanceId => instanceId;

    public DateTimeOffset UtcNow => run.UtcNow;

    public ILogger Logger => logger;

    public string? CustomStatus { get; private set; }

    public async Task<TOut> CallActivityAsync<TIn, TOut>(Activity<TIn, TOut> activity, TIn input, RetryPolicy? retry = null)
    {
        var json = DurableJson.Write(input);
        for (var failed = 0; ;)
        {
            try
            {
                return DurableJson.Read<TOut>(await ScheduleAsync(activity.Name, json))!;
            }
            catch (ActivityFailedException) when (++failed < (retry?.MaxAttempts ?? 1))
            {
                // The pause is below, outside the handler: it is journalled like any other timer.
            }

            await CreateTimerAsync(retry!.DelayAfter(failed));
        }
    }

    public Task<bool> WaitForExternalEventAsync(string name, TimeSpan timeout)
    {
        run.EnsureInTurn();
        if (run.Inbox.TakeEarly(name))
        {
            return Task.FromResult(true);
        }

        var answer = new TaskCompletionSource<bool>();
        var timer = HistoryEvent.Timer(UtcNow, run.NextTask, name, After(timeout));
        run.Issue(timer, happened =>
        {
            var came = happened.Kind == HistoryKind.EventRaised;
            if (!came)
            {
                run.Inbox.Leave(name, timer.Task);
            }

            answer.SetResult(came);
        });
        run.Inbox.Wait(name, timer.Task);
        return answer.Task;
    }

    public Task CreateTimerAsync(TimeSpan delay)
    {
        run.EnsureInTurn();
        var answer = new TaskCompletionSource();
        run.Issue(HistoryEvent.Timer(UtcNow, run.NextTask, null, After(delay)), _ => answer.SetResult());
        return answer.Task;
    }

    public void SetCustomStatus(IncidentStatus status)
    {
        run.EnsureInTurn();
        var json = DurableJson.Write(status);
        CustomStatus = json.Length <= StatusLimit
            ? json
            : throw new ArgumentException($"The custom status has {json.Length} characters; {StatusLimit} are allowed.", nameof(status));
    }

    private Task<string> ScheduleAsync(string activity, string input)
    {
        run.EnsureInTurn();
        var answer = new TaskCompletionSource<string>();
        var command = new HistoryEvent(HistoryKind.TaskScheduled, UtcNow, run.NextTask, activity, input);
        run.Issue(command, happened =>
        {
            if (happened.Kind == HistoryKind.TaskCompleted)
            {
                answer.SetResult(happened.Data!);
            }
            else
            {
                answer.SetException(new ActivityFailedException(activity, happened.Data!));
            }
        });
        return answer.Task;
    }

    // An infinite or absurdly long wait is a timer at the end of time: then every wait looks the same in the journal.
    private DateTimeOffset After(TimeSpan delay) =>
        delay == Timeout.InfiniteTimeSpan || delay > DateTimeOffset.MaxValue - UtcNow ? DateTimeOffset.MaxValue
        : delay < TimeSpan.Zero ? UtcNow
        : UtcNow + delay;
}
