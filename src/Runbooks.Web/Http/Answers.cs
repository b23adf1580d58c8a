using Microsoft.AspNetCore.Http;
using Runbooks.Intake.Parsing;

namespace Runbooks.Web.Http;

/// <summary>Answers of the API.</summary>
internal static class Answers
{
    public static IResult Json<T>(T value, int status = StatusCodes.Status200OK) => Results.Json(value, WebJson.Options, statusCode: status);

    public static IResult Problem(int status, string title, params IReadOnlyList<AlertError> errors) =>
        Results.Json(new ProblemBody(title, status, errors.Count == 0 ? null : errors), WebJson.Options, "application/problem+json", status);

    public static IResult TooLarge(int limit) =>
        Problem(StatusCodes.Status413PayloadTooLarge, $"The body is larger than {limit / 1024} KB. Send fewer alerts at once.");

    /// <summary>Senders of alerts try again on 503, and on hardly anything else.</summary>
    public static IResult TryAgain(HttpResponse response)
    {
        response.Headers.RetryAfter = "5";
        return Problem(StatusCodes.Status503ServiceUnavailable, "It could not be recorded at the moment. Send it again.");
    }

    /// <param name="Title">What is wrong, in one sentence.</param>
    private sealed record ProblemBody(string Title, int Status, IReadOnlyList<AlertError>? Errors);
}
