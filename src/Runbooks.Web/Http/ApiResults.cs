using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Runbooks.Web.Http;

internal static class ApiResults
{
    public const string ProblemType = "application/problem+json";
    public const string NoSuchIncident = "There is no such incident, or it is no longer kept.";

    public static IResult Json<T>(T value, int status = StatusCodes.Status200OK, string? contentType = null) =>
        Results.Json(value, WebJson.Options, contentType, status);

    public static IResult Problem(int status, string title, params IReadOnlyList<AlertError> errors) =>
        Results.Json(new ProblemBody(title, status, errors.Count == 0 ? null : errors), WebJson.Options, ProblemType, status);

    public static IResult TooLarge(int limit) =>
        Problem(StatusCodes.Status413PayloadTooLarge, $"The body is larger than {limit / 1024} KB. Nothing of it was taken.");

    /// <summary>Senders of alerts try again on 503, and few on anything else.</summary>
    public static IResult TryAgain(HttpRequest request, string? said = null)
    {
        request.HttpContext.Response.Headers.RetryAfter = "5";
        return Problem(StatusCodes.Status503ServiceUnavailable, said ?? (request.IsRead()
            ? "It could not be read at the moment. Ask again in a few seconds."
            : "It is not known whether it was recorded. Send it again in a few seconds."));
    }

    private sealed record ProblemBody(string Title, int Status, IReadOnlyList<AlertError>? Errors);
}

internal static class WebJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { Converters = { CamelCase.Enums } };
}

internal sealed class PageResult<TPage>(object parameters, int status = StatusCodes.Status200OK) : IResult, IStatusCodeHttpResult
    where TPage : IComponent
{
    public int? StatusCode => status;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        PageHeaders.Write(httpContext.Response);
        return new RazorComponentResult<TPage>(parameters) { StatusCode = status, PreventStreamingRendering = true }.ExecuteAsync(httpContext);
    }
}

internal static class MessageResult
{
    public static PageResult<MessagePage> Of(int status, string title, string text, bool home = false) =>
        new(new { Title = title, Text = text, Home = home }, status);

    public static PageResult<MessagePage> FromAnotherSite(string notDone) =>
        Of(StatusCodes.Status403Forbidden, notDone, "This was sent from another site. Open the page here and press the button there.", home: true);
}

/// <summary>Keeps a page from running anything, from being framed, stored or found, and its address from being sent elsewhere.</summary>
internal static class PageHeaders
{
    private const string Policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    public static void Write(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex, nofollow";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
    }
}

/// <summary>
/// After a form the browser asks for the page again, so that going back does not send the form twice. The framework's own result would
/// log the address, and so a token in it.
/// </summary>
internal sealed class SeeOther(string to, int status = StatusCodes.Status303SeeOther) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        httpContext.Response.Headers.Location = to;
        return Task.CompletedTask;
    }
}

/// <summary>
/// For every answer of both hosts, refusals and unknown addresses too: browsers do not guess another content type, and nothing is cached
/// unless the answer allows it, as assets do.
/// </summary>
internal sealed class AnswerHeaders : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, rest) =>
        {
            context.Response.OnStarting(Write, context.Response);
            return rest(context);
        });
        next(app);
    };

    private static Task Write(object state)
    {
        var headers = ((HttpResponse)state).Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.TryAdd(HeaderNames.CacheControl, "no-store");
        return Task.CompletedTask;
    }
}
