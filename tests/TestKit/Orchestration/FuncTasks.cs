using Microsoft.DurableTask;
using Runbooks.Orchestration.TaskHub;

namespace TestKit.Orchestration;

/// <summary>Orchestrators and activities that are one expression.</summary>
public static class FuncTasks
{
    public static TaskHubTasks Orchestrator<TIn, TOut>(this TaskHubTasks tasks, string name, Func<TaskOrchestrationContext, TIn, Task<TOut>> run) =>
        tasks.AddOrchestrator(name, _ => FuncTaskOrchestrator.Create<TIn, TOut>((context, input) => run(context, input!)!));

    public static TaskHubTasks Activity<TIn, TOut>(this TaskHubTasks tasks, string name, Func<TIn, Task<TOut>> run) =>
        tasks.AddActivity(name, _ => FuncTaskActivity.Create<TIn, TOut>((_, input) => run(input!)!));

    /// <returns>True when the event came, false when the time passed first.</returns>
    public static async Task<bool> CameAsync(this TaskOrchestrationContext context, string name, TimeSpan timeout)
    {
        try
        {
            await context.WaitForExternalEvent<object?>(name, timeout);
            return true;
        }
        catch (TaskCanceledException)
        {
            return false;
        }
    }

    public static TaskOptions Retry(int attempts, TimeSpan firstPause, double backoff = 1) =>
        TaskOptions.FromRetryPolicy(new RetryPolicy(attempts, firstPause, backoff));
}
