using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox;

/// <summary>The sandbox's own endpoints: look at its state, switch faults on, start over.</summary>
internal static class SandboxControl
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
        // Read by people in a terminal; never put into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Map(WebApplication app)
    {
        var apis = app.Services.GetServices<SandboxApi>().ToList();
        var faults = app.Services.GetRequiredService<FaultRegistry>();

        app.MapGet("/_sandbox/state", () => Results.Json(
            new
            {
                faults = faults.Pending,
                requests = faults.Requests,
                bodies = faults.Bodies,
                apis = apis.ToDictionary(api => api.Name, api => api.Describe()),
            },
            Json));

        var troubles = app.Services.GetRequiredService<SandboxTroubles>();
        app.MapGet("/_sandbox/troubles", () => Results.Json(troubles.All.Select(trouble => new { trouble.Name, trouble.What, On = trouble.IsOn() }), Json));
        app.MapPost("/_sandbox/troubles/{name}/break", (string name) => Turn(name, trouble => trouble.Break));
        app.MapPost("/_sandbox/troubles/{name}/heal", (string name) => Turn(name, trouble => trouble.Heal));

        app.MapPost("/_sandbox/reset", () =>
        {
            faults.Clear();
            apis.ForEach(api => api.Reset());
            return Results.NoContent();
        });

        app.MapPost("/_sandbox/faults", async (HttpRequest request) =>
        {
            var problem = await ReadAsync(request);
            return problem is null ? Results.NoContent() : Results.Json(new { error = problem }, Json, statusCode: 400);
        });

        IResult Turn(string name, Func<Trouble, Action> how)
        {
            if (troubles.All.FirstOrDefault(trouble => trouble.Name == name) is not { } known)
            {
                return Results.Json(new { error = $"There is no trouble '{name}'. There are: {string.Join(", ", troubles.All.Select(trouble => trouble.Name))}." }, Json, statusCode: 404);
            }

            how(known)();
            return Results.NoContent();
        }

        async Task<string?> ReadAsync(HttpRequest request)
        {
            Fault? fault;
            try
            {
                fault = await JsonSerializer.DeserializeAsync<Fault>(request.Body, Json, request.HttpContext.RequestAborted);
            }
            catch (JsonException invalid)
            {
                return $"Not a fault: {invalid.Message} Example: {{\"api\":\"kubernetes\",\"kind\":\"429\",\"count\":1}}";
            }

            if (fault is null || apis.All(api => api.Name != fault.Api))
            {
                return $"'api' must be one of: {string.Join(", ", apis.Select(api => api.Name))}.";
            }

            if (fault.Problem is null)
            {
                faults.Add(fault);
            }

            return fault.Problem;
        }
    }
}

/// <summary>Lets the faults that are switched on happen before an API sees the request.</summary>
internal sealed class FaultMiddleware(RequestDelegate next, FaultRegistry faults, IEnumerable<SandboxApi> apis, SandboxMemory memory, RequestLog log, TimeProvider time)
{
    private readonly Dictionary<string, SandboxApi> _apis = apis.ToDictionary(api => api.Name, StringComparer.OrdinalIgnoreCase);

    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var first = request.Path.Value!.Split('/', 3) is ["", var segment, ..] ? segment : "";
        context.Response.OnStarting(() =>
        {
            memory.SaveIfChanged();
            return Task.CompletedTask;
        });
        if (!_apis.TryGetValue(first, out var api))
        {
            await next(context);
            return;
        }

        faults.Saw(request, await BodyAsync(request));
        try
        {
            await AnswerAsync(context, api);
        }
        finally
        {
            log.Write(context);
        }
    }

    private async Task AnswerAsync(HttpContext context, SandboxApi api)
    {
        var request = context.Request;
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
