using System.Runtime.CompilerServices;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using DurableTask.Core.Middleware;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Worker.Shims;
using Microsoft.Extensions.Logging.Abstractions;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>
/// Knows whether its orchestrator has returned. Durable Task ends an instance only when its open activities are answered, and a session
/// that lasts until then forgets the result "continue as new". So the session is aborted, and a replay ends the instance as meant.
/// </summary>
internal sealed class HostedOrchestrator(ITaskOrchestrator orchestrator) : ITaskOrchestrator
{
    private static readonly ConditionalWeakTable<TaskOrchestration, HostedOrchestrator> s_known = [];

    private bool _hasReturned;

    public Type InputType => orchestrator.InputType;

    public Type OutputType => orchestrator.OutputType;

    public static TaskOrchestration Remember(TaskOrchestration shim, HostedOrchestrator hosted)
    {
        s_known.Add(shim, hosted);
        return shim;
    }

    public static Task GiveUpSessionAsync(DispatchMiddlewareContext context, Func<Task> next) =>
        s_known.TryGetValue(context.GetProperty<TaskOrchestration>(), out var hosted) && hosted._hasReturned
            ? throw new SessionAbortedException("The orchestrator has returned; its end is replayed.")
            : next();

    public async Task<object?> RunAsync(TaskOrchestrationContext context, object? input)
    {
        try
        {
            return await orchestrator.RunAsync(context, input);
        }
        finally
        {
            _hasReturned = true;
        }
    }
}

/// <summary>Versions do not select code: the worker's versioning checks the version of an instance.</summary>
internal sealed class HostedOrchestrators(TaskHubTasks tasks, IServiceProvider services, DurableTaskShimFactory shims)
    : INameVersionObjectManager<TaskOrchestration>
{
    public void Add(ObjectCreator<TaskOrchestration> creator) =>
        throw new NotSupportedException("Orchestrators are added to TaskHubTasks.");

    // It throws, since Durable Task answers a null with a back-off of the whole dispatcher.
    public TaskOrchestration GetObject(string name, string? version)
    {
        if (!tasks.TryFindOrchestrator(name, out var create))
        {
            throw new InvalidOperationException($"No orchestrator is called '{name}'.");
        }

        var hosted = new HostedOrchestrator(create(services));
        return HostedOrchestrator.Remember(shims.CreateOrchestration(name, hosted), hosted);
    }
}

/// <summary>
/// The time that an orchestrator sees: the <see cref="TimeProvider"/>'s at the beginning of each turn, recorded in the turn's
/// <see cref="OrchestratorStartedEvent"/>. It stands still while the machine's clock is set back by a little. It follows a clock that was
/// far ahead, or every wait would last that much longer.
/// </summary>
internal sealed class OrchestratorClock(TimeProvider time)
{
    private static readonly TimeSpan s_little = TimeSpan.FromMinutes(5);

    // An instance that continues as new does so inside one work item. This is all that is left of its past.
    private readonly ConditionalWeakTable<TaskOrchestrationWorkItem, StrongBox<DateTime>> _last = [];

    public Task SetAsync(DispatchMiddlewareContext context, Func<Task> next)
    {
        var state = context.GetProperty<OrchestrationRuntimeState>();
        var last = _last.GetOrCreateValue(context.GetProperty<TaskOrchestrationWorkItem>());
        var now = last.Value = NotBefore(last.Value, NotBefore(LastOf(state), time.GetUtcNow().UtcDateTime));
        foreach (var started in state.NewEvents)
        {
            if (started.EventType == EventType.OrchestratorStarted)
            {
                started.Timestamp = now;
            }
        }

        return next();
    }

    private static DateTime NotBefore(DateTime floor, DateTime now) => floor > now && floor - now <= s_little ? floor : now;

    // NewEvents is the end of Events; the events before it have their time.
    private static DateTime LastOf(OrchestrationRuntimeState state)
    {
        for (var i = state.Events.Count - state.NewEvents.Count - 1; i >= 0; i--)
        {
            if (state.Events[i].EventType == EventType.OrchestratorStarted)
            {
                return state.Events[i].Timestamp;
            }
        }

        return DateTime.MinValue;
    }
}

internal sealed class HostedActivity(
    string name,
    ITaskActivity activity,
    ActivityShutdown shutdown,
    Func<string, Func<Task<object?>>, Task<object?>>? around) : ITaskActivity
{
    public Type InputType => activity.InputType;

    public Type OutputType => activity.OutputType;

    public async Task<object?> RunAsync(TaskActivityContext context, object? input)
    {
        shutdown.Running.Enter();
        try
        {
            if (shutdown.Token.IsCancellationRequested)
            {
                throw Aborted();
            }

            return around is null
                ? await activity.RunAsync(context, input)
                : await around(name, () => activity.RunAsync(context, input));
        }
        catch (OperationCanceledException) when (shutdown.Token.IsCancellationRequested)
        {
            throw Aborted();
        }
        finally
        {
            shutdown.Running.Exit();
        }
    }

    /// <summary>History keeps a failure for good, so it gets only the type and the message; the log has the rest.</summary>
    public static async Task ShortenFailureAsync(DispatchMiddlewareContext context, Func<Task> next)
    {
        await next();
        if (context.GetProperty<DurableTask.Core.ActivityExecutionResult>() is { ResponseEvent: TaskFailedEvent failed } result)
        {
            var details = failed.FailureDetails;
            result.ResponseEvent = new TaskFailedEvent(
                failed.EventId,
                failed.TaskScheduledId,
                failed.Reason,
                null,
                details is null ? null : new(details.ErrorType, details.ErrorMessage, null, null, details.IsNonRetriable));
        }
    }

    // The exception by which Durable Task knows "not run, try later".
    private static SessionAbortedException Aborted() => new("The host is stopping.");
}

internal sealed class HostedActivities(
    TaskHubTasks tasks, IServiceProvider services, TaskHubOptions options, ActivityShutdown shutdown, DurableTaskShimFactory shims)
    : INameVersionObjectManager<TaskActivity>
{
    public void Add(ObjectCreator<TaskActivity> creator) => throw new NotSupportedException("Activities are added to TaskHubTasks.");

    public TaskActivity GetObject(string name, string? version)
    {
        if (!tasks.TryFindActivity(name, out var create))
        {
            return new MissingActivity(name);
        }

        Microsoft.DurableTask.ITaskActivity activity;
        try
        {
            activity = create(services);
        }
        // A constructor that throws is a failure of the activity; thrown from here it would be retried for ever.
        catch (Exception e)
        {
            return new UnmadeActivity(e);
        }

        return shims.CreateActivity(name, new HostedActivity(name, activity, shutdown, options.AroundActivity));
    }

    /// <summary>The shim's own log would have unredacted exceptions; <see cref="IncidentActivity{TInput,TOutput}"/> logs instead.</summary>
    public static DurableTaskShimFactory Shims(Microsoft.DurableTask.Worker.DurableTaskWorkerOptions options) =>
        new(options, NullLoggerFactory.Instance);

    private sealed class MissingActivity(string name) : TaskActivity
    {
        public override string Run(TaskContext context, string input) =>
            throw new InvalidOperationException($"No activity is called '{name}'.");
    }

    private sealed class UnmadeActivity(Exception cause) : TaskActivity
    {
        public override string Run(TaskContext context, string input) =>
            throw new InvalidOperationException(cause.Message, cause);
    }
}
