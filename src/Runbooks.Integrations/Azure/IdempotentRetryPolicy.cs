using Azure.Core.Pipeline;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// Azure.Core repeats every request, even a POST that may have been carried out. This policy repeats only reads, and requests that
/// were answered 429, because these were turned away before they did anything. It honours a Retry-After.
/// </summary>
internal sealed class IdempotentRetryPolicy(int retries, TimeSpan delay)
    : RetryPolicy(retries, DelayStrategy.CreateExponentialDelayStrategy(delay, TimeSpan.FromSeconds(30)))
{
    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        MayRepeat(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        MayRepeat(message) ? base.ShouldRetryAsync(message, exception) : ValueTask.FromResult(false);

    public static bool IsRead(RequestMethod method) => method == RequestMethod.Get || method == RequestMethod.Head;

    private static bool MayRepeat(HttpMessage message) =>
        IsRead(message.Request.Method)
        || (message.HasResponse && message.Response.Status == 429);
}
