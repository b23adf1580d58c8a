using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox;

/// <summary>Lets the faults that are switched on happen before an API sees the request.</summary>
internal sealed class FaultMiddleware(RequestDelegate next, FaultBoard faults, IEnumerable<PracticeApi> apis, TimeProvider time)
{
    private readonly Dictionary<string, PracticeApi> _apis = apis.ToDictionary(api => api.Name, StringComparer.OrdinalIgnoreCase);

    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var first = request.Path.Value!.Split('/', 3) is ["", var segment, ..] ? segment : "";
        if (!_apis.TryGetValue(first, out var api))
        {
            await next(context);
            return;
        }

        faults.Saw(request, await BodyAsync(request));
        var where = $"{request.Method} {request.Path}";
        var fault = faults.Take(fault => fault.Api == api.Name
            && fault.Kind is not (Fault.LroFails or Fault.Denied)
            && (fault.On is null ? api.CanHit(fault, request) : where.Contains(fault.On, StringComparison.OrdinalIgnoreCase)));
        switch (fault)
        {
            case { Kind: Fault.Unreachable }:
                context.Abort();
                return;
            case { Kind: Fault.Slow }:
                await Task.Delay(TimeSpan.FromSeconds(fault.Seconds), time, context.RequestAborted)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case { Status: { } status }:
                await api.Error(status, request).ExecuteAsync(context);
                return;
        }

        await next(context);
    }

    // Read here and again by the API.
    private static async Task<JsonNode?> BodyAsync(HttpRequest request)
    {
        if (request.ContentType?.Contains("json", StringComparison.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        request.EnableBuffering();
        try
        {
            return await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
        finally
        {
            request.Body.Position = 0;
        }
    }
}
