using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Something that answers where commands look for a host, as a test says.</summary>
internal sealed class AnsweringHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AnsweringHost(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    /// <summary>Every request so far, by method and path.</summary>
    public List<string> Asked { get; } = [];

    public static async Task<AnsweringHost> StartAsync(Func<HttpContext, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var host = new AnsweringHost(builder.Build());
        host._app.Run(context =>
        {
            host.Asked.Add($"{context.Request.Method} {context.Request.Path}");
            return answer(context);
        });
        await host._app.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <param name="answers">JSON by method and path; anything else is 404.</param>
    public static Task<AnsweringHost> StartAsync(Dictionary<string, string> answers) => StartAsync(context =>
    {
        context.Response.ContentType = "application/json";
        if (answers.TryGetValue($"{context.Request.Method} {context.Request.Path}", out var json))
        {
            return context.Response.WriteAsync(json);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return context.Response.WriteAsync("""{"title":"There is no such incident."}""");
    });

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
