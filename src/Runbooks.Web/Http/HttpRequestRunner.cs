using Microsoft.AspNetCore.Connections;

namespace Runbooks.Web.Http;

/// <summary>The host's edge: the one place where a fault becomes a status.</summary>
public sealed class HttpRequestRunner(ILogger<HttpRequestRunner> logger)
{
    /// <summary>A fault may come before, during or after the writing of the record.</summary>
    private const string NotKnown =
        "It is not known whether this was recorded: open the page again in a few seconds and look before you press once more.";

    internal async Task<IResult> RunAsync(HttpRequest request, Func<CancellationToken, Task<IResult>> work, Caller caller = Caller.Script)
    {
        // A complete post is carried out, whether or not the caller waits for the answer: a sender may hang up after its alert, and a
        // phone may be put away after the yes. A read ends when its caller leaves.
        var gone = request.HttpContext.RequestAborted;
        var reads = request.IsRead();
        try
        {
            return await work(reads ? gone : CancellationToken.None);
        }
        catch (Exception failure) when (
            gone.IsCancellationRequested
            && (failure is ConnectionResetException or BadHttpRequestException || (reads && failure is OperationCanceledException)))
        {
            return Results.StatusCode(StatusCodes.Status499ClientClosedRequest);
        }
        catch (IOException failure) when (gone.IsCancellationRequested && failure.GetType() == typeof(IOException))
        {
            // Either the body stopped in the middle, or a file of ours broke. The exception does not tell which.
            Log.BrokeAfterCallerLeft(logger, failure);
            return Results.StatusCode(StatusCodes.Status499ClientClosedRequest);
        }
        catch (BadHttpRequestException refused)
        {
            if (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
            {
                return ApiResults.TooLarge(RequestBody.MaxAlerts);
            }

            return caller == Caller.Person
                ? MessageResult.Of(
                    refused.StatusCode, "Not read", "The request could not be read, and nothing was recorded. Go back and try again.")
                : ApiResults.Problem(refused.StatusCode, "The request could not be read.");
        }
        catch (StoreUnavailableException fault)
        {
            Log.Unavailable(logger, fault);
            return TryAgain(request, caller);
        }
        // The edge of the host: the caller is told whether to try again, but not what broke.
        catch (Exception fault)
        {
            Log.Broke(logger, fault);
            return Broken(request, caller, reads);
        }
    }

    private static IResult Broken(HttpRequest request, Caller caller, bool reads) => caller switch
    {
        Caller.Sender => TryAgain(request, caller),
        Caller.Person => MessageResult.Of(
            StatusCodes.Status500InternalServerError, "Something broke", reads ? "It is in the log." : $"It is in the log. {NotKnown}"),
        _ => ApiResults.Problem(
            StatusCodes.Status500InternalServerError,
            $"Something broke on our side; it is in the log.{(reads ? "" : " It is not known whether it was recorded.")}"),
    };

    /// <summary>After a decision: the person hears what it did, even when the page that shows it cannot be made.</summary>
    internal async Task<IResult> ShowAsync(Func<Task<IResult>> page, int status, string said)
    {
        try
        {
            return await page();
        }
        // The record is written, whatever keeps the page from showing it.
        catch (Exception fault)
        {
            Log.Broke(logger, fault);
            return MessageResult.Of(status, "The page cannot be shown at the moment", $"{said} Open it again in a few seconds.");
        }
    }

    private static IResult TryAgain(HttpRequest request, Caller caller)
    {
        if (caller != Caller.Person)
        {
            return ApiResults.TryAgain(request);
        }

        request.HttpContext.Response.Headers.RetryAfter = "5";
        var reads = request.IsRead();
        return MessageResult.Of(
            StatusCodes.Status503ServiceUnavailable,
            "Not now",
            $"The records cannot be reached at the moment. {(reads ? "Try again in a few seconds." : NotKnown)}");
    }
}

internal enum Caller
{
    Script,

    /// <summary>A sender of alerts. They repeat a post after 503, and few after anything else, so every fault of ours is a 503.</summary>
    Sender,

    Person,
}

internal static class Callers
{
    /// <summary>For addresses below the pages that scripts read too: only a browser asks for HTML.</summary>
    public static Caller Of(HttpRequest request)
    {
        var asksForPage = request.Path.StartsWithSegments("/incidents")
            && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        return asksForPage ? Caller.Person : Caller.Script;
    }

    public static IResult NotFound(HttpRequest request, string title, string text) =>
        Of(request) == Caller.Person
            ? MessageResult.Of(StatusCodes.Status404NotFound, title, text, home: true)
            : ApiResults.Problem(StatusCodes.Status404NotFound, text);
}
