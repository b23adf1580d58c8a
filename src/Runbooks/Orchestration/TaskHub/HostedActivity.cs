using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using DurableTask.Core.Middleware;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Worker.Shims;
using Microsoft.Extensions.Logging.Abstractions;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>An activity as this host runs it: counted, and given up when the host stops.</summary>
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

    /// <summary>
    /// History keeps a failure for good: only its type and its message. Stack traces and inner exceptions are for the log.
    /// </summary>
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

    // Durable Task's word for "not run, try later".
    private static SessionAbortedException Aborted() => new("The host is stopping.");
}

/// <summary>Finds activities by name for the worker.</summary>
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
#pragma warning disable CA1031 // A constructor that throws is a failure of the activity; thrown from here it would be tried for ever.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new UnmadeActivity(e);
        }

        return shims.CreateActivity(name, new HostedActivity(name, activity, shutdown, options.AroundActivity));
    }

    /// <summary>The shim's own log would show what an activity threw as it is, secrets and all; <see cref="IncidentActivity{TInput,TOutput}"/> logs instead.</summary>
    public static DurableTaskShimFactory Shims(Microsoft.DurableTask.Worker.DurableTaskWorkerOptions options) => new(options, NullLoggerFactory.Instance);

    private sealed class MissingActivity(string name) : TaskActivity
    {
        public override string Run(TaskContext context, string input) => throw new InvalidOperationException($"No activity is called '{name}'.");
    }

    private sealed class UnmadeActivity(Exception cause) : TaskActivity
    {
        public override string Run(TaskContext context, string input) => throw new InvalidOperationException(cause.Message, cause);
    }
}
