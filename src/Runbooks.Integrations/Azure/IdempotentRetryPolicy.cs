using Azure.Core.Pipeline;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// Azure.Core repeats every request, even a POST that may have been carried out. This policy repeats only reads. A change that was
/// turned away is left to the next attempt of its step: until then somebody else may have changed the resource or paused everything.
/// A Retry-After is honoured where it is short; a longer one is for the caller to tell.
/// </summary>
internal sealed class IdempotentRetryPolicy(int retries, TimeSpan delay)
    : RetryPolicy(retries, DelayStrategy.CreateExponentialDelayStrategy(delay, TimeSpan.FromSeconds(30)))
{
    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        MayRepeat(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        MayRepeat(message) ? base.ShouldRetryAsync(message, exception) : ValueTask.FromResult(false);

    private static bool MayRepeat(HttpMessage message) =>
        message.TryGetProperty(typeof(AzureRequest), out var call)
        && call is AzureRequest { OnlyReads: true }
        && !(message.HasResponse && AzureClient.RetryAfter(message.Response) > OutboundHttp.LongestRetryAfter);
}
