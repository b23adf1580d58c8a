using Azure.Core;
using Azure.Core.Pipeline;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// Azure.Core repeats every request, a POST that may have been carried out included. Here only reads are repeated, and
/// whatever was answered 429: that was turned away before it did anything. A Retry-After is honoured.
/// </summary>
internal sealed class CarefulRetryPolicy(int retries, TimeSpan delay)
    : RetryPolicy(retries, DelayStrategy.CreateExponentialDelayStrategy(delay, TimeSpan.FromSeconds(30)))
{
    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        MayRepeat(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        MayRepeat(message) ? base.ShouldRetryAsync(message, exception) : ValueTask.FromResult(false);

    private static bool MayRepeat(HttpMessage message) =>
        message.Request.Method == RequestMethod.Get
        || message.Request.Method == RequestMethod.Head
        || (message.HasResponse && message.Response.Status == 429);
}
