using Microsoft.AspNetCore.Http;

namespace Runbooks.Web.Http;

/// <summary>After a form the browser asks for the page anew, so that going back does not send the form again.</summary>
internal sealed class SeeOther(string to) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = to;
        return Task.CompletedTask;
    }
}
