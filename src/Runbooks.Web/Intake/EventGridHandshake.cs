using Runbooks.Intake.Parsing.AzureMonitor;
using Runbooks.Model.Alerts;

namespace Runbooks.Web.Intake;

/// <summary>Event Grid posts only to an address that agrees, and asks in one of two ways. The caller's key was checked before.</summary>
internal static class EventGridHandshake
{
    /// <summary>The longest name of a host (RFC 1035).</summary>
    private const int MaxOrigin = 255;

    /// <summary>
    /// The question of CloudEvents, an OPTIONS request:
    /// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection.
    /// </summary>
    public static IResult Permit(HttpRequest request, string source)
    {
        var answer = request.HttpContext.Response.Headers;
        if (!Is(source))
        {
            answer.Allow = HttpMethods.Post;
            return ApiResults.Problem(
                StatusCodes.Status405MethodNotAllowed,
                $"Only {AlertSource.EventGrid} is asked for permission; post the alerts of this sender.");
        }

        var origin = request.Headers["WebHook-Request-Origin"].ToString();
        if (origin.Length is 0 or > MaxOrigin || !origin.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or ':'))
        {
            return ApiResults.Problem(
                StatusCodes.Status400BadRequest, "The header WebHook-Request-Origin does not name a host that wants to post here.");
        }

        answer.Allow = $"{HttpMethods.Post}, {HttpMethods.Options}";
        answer["WebHook-Allowed-Origin"] = origin;
        answer["WebHook-Allowed-Rate"] = "*";
        return Results.StatusCode(StatusCodes.Status200OK);
    }

    /// <summary>The question of Event Grid's own schema, a post with a code.</summary>
    /// <returns>Null for any other post.</returns>
    public static IResult? Answer(string source, ReadOnlyMemory<byte> body) =>
        Is(source) && EventGridSubscription.ValidationCode(body) is { } code ? ApiResults.Json(new { ValidationResponse = code }) : null;

    private static bool Is(string source) => AlertSource.EventGrid.Equals(source, StringComparison.OrdinalIgnoreCase);
}
