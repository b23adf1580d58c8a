using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Incidents;
using DurableRetryPolicy = Microsoft.DurableTask.RetryPolicy;
using RetryPolicy = Runbooks.Engine.RetryPolicy;

namespace RunbookFunctions.Durable;

/// <summary>The engine seam over Durable Task's own context. Deterministic: it asks nothing but that context.</summary>
internal sealed class DurableWorkflowContext(TaskOrchestrationContext context) : IWorkflowContext
{
    /// <summary>The platform fails an instance whose status is longer than 8,000 characters; a character may take six in JSON.</summary>
    public const int MaxStatusDetail = 1_000;

    public string InstanceId => context.InstanceId;

    public DateTimeOffset UtcNow => new(DateTime.SpecifyKind(context.CurrentUtcDateTime, DateTimeKind.Utc));

    public ILogger Logger { get; } = context.CreateReplaySafeLogger(IncidentWorkflow.Name);

    public async Task<TOut> CallActivityAsync<TIn, TOut>(Activity<TIn, TOut> activity, TIn input, RetryPolicy? retry = null)
    {
        try
        {
            return await context.CallActivityAsync<TOut>(activity.Name, input, retry is null ? null : OptionsOf(retry));
        }
        catch (TaskFailedException failed)
        {
            throw new ActivityFailedException(activity.Name, failed.FailureDetails.ErrorMessage);
        }
    }

    public async Task<bool> WaitForExternalEventAsync(string name, TimeSpan timeout)
    {
        try
        {
            // Whoever can raise events chooses their payload: any JSON has to fit, and none of it is read.
            await context.WaitForExternalEvent<object?>(name, timeout);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public Task CreateTimerAsync(TimeSpan delay) => context.CreateTimer(delay, CancellationToken.None);

    public void SetCustomStatus(IncidentStatus status) =>
        context.SetCustomStatus(status.Detail is { Length: > MaxStatusDetail } detail ? status with { Detail = detail[..MaxStatusDetail] } : status);

    private static TaskOptions OptionsOf(RetryPolicy retry)
    {
        // Durable Task accepts neither a pause of nothing nor a bound below the first pause.
        var first = retry.FirstDelay > TimeSpan.Zero ? retry.FirstDelay : TimeSpan.FromMilliseconds(1);
        var longest = retry.MaxDelay is { } bound ? Longer(bound, first) : Timeout.InfiniteTimeSpan;
        return new TaskOptions(new TaskRetryOptions(new DurableRetryPolicy(retry.MaxAttempts, first, retry.Backoff, longest)));
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
