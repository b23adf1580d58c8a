using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Runbooks.Web.Http;

/// <summary>
/// Around everything on both hosts, refusals and unknown addresses too: no answer is taken for something else than it says, and
/// none is kept on the way unless it says that it may be, as assets do.
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
