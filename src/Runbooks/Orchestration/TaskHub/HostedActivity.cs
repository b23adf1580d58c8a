using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using DurableTask.Core.Middleware;
using Microsoft.DurableTask;

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
        shutdown.Enter();
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
            shutdown.Exit();
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
