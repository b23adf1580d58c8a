using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Runbooks.Storage;

namespace Runbooks.Web.Edge;

/// <summary>The host's edge: the one place where a fault becomes a status.</summary>
public sealed class HttpEdge(ILogger<HttpEdge> logger)
{
    /// <param name="retryable">
    /// True where every fault of ours is answered 503: senders of alerts do not repeat a post that was answered 500.
    /// </param>
    internal async Task<IResult> RunAsync(HttpRequest request, Func<CancellationToken, Task<IResult>> work, bool retryable = false)
    {
        var gone = request.HttpContext.RequestAborted;
        try
        {
            return await work(gone);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            return Results.StatusCode(StatusCodes.Status499ClientClosedRequest);
        }
        catch (BadHttpRequestException refused)
        {
            return refused.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? Answers.TooLarge(RequestBody.MaxAlerts)
                : Answers.Problem(refused.StatusCode, "The request could not be read.");
        }
        catch (StoreUnavailableException fault)
        {
            Log.Unavailable(logger, fault);
            return Answers.TryAgain(request.HttpContext.Response);
        }
#pragma warning disable CA1031 // The edge of the host: whatever it was, the sender is told whether to try again and not what broke inside.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Log.Broke(logger, fault);
            return retryable
                ? Answers.TryAgain(request.HttpContext.Response)
                : Answers.Problem(StatusCodes.Status500InternalServerError, "Something broke on our side; it is in the log.");
        }
    }
}
