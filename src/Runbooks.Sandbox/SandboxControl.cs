using System.Text.Encodings.Web;
using Runbooks.Sandbox.Apis;
using Runbooks.Sandbox.Apis.Arm;
using Runbooks.Sandbox.Apis.Exporters;
using Runbooks.Sandbox.Apis.Provider;

namespace Runbooks.Sandbox;

/// <summary>The sandbox's own endpoints: look at its state, switch faults on, start over.</summary>
internal static class SandboxControl
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // People read it in a terminal; it is never put into a page.
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
            }, s_json));

        var troubles = app.Services.GetRequiredService<SandboxTroubles>();
        app.MapGet(
            "/_sandbox/troubles",
            () => Results.Json(troubles.All.Select(trouble => new { trouble.Name, trouble.What, On = trouble.IsOn() }), s_json));
        app.MapPost("/_sandbox/troubles/{name}/break", (string name) => Turn(name, trouble => trouble.Break));
        app.MapPost("/_sandbox/troubles/{name}/heal", (string name) => Turn(name, trouble => trouble.Heal));
        app.MapPost("/_sandbox/pods/{ns}/{pod}/hang", (string ns, string pod) =>
            app.Services.GetRequiredService<SandboxClusters>().Find("b")!.Hang(ns, pod)
                ? Results.NoContent()
                : Results.NotFound($"Cluster b has no pod {ns}/{pod}."));

        app.MapPost("/_sandbox/reset", () =>
        {
            faults.Clear();
            apis.ForEach(api => api.Reset());
            return Results.NoContent();
        });

        app.MapPost("/_sandbox/faults", async (HttpRequest request) => PracticeBody.Answer(await ReadAsync(request)));

        IResult Turn(string name, Func<Trouble, Action> how)
        {
            if (troubles.All.FirstOrDefault(trouble => trouble.Name == name) is not { } known)
            {
                return Results.Json(
                    new { error = $"There is no trouble '{name}'. There are: {string.Join(", ", troubles.All.Select(trouble => trouble.Name))}." },
                    s_json,
                    statusCode: 404);
            }

            how(known)();
            return Results.NoContent();
        }

        async Task<string?> ReadAsync(HttpRequest request)
        {
            var (fault, problem) = await PracticeBody.ReadAsync<Fault>(request, "{\"api\":\"kubernetes\",\"kind\":\"429\",\"count\":1}");
            if (problem is not null)
            {
                return $"Not a fault: {problem}";
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

internal sealed class FaultMiddleware(
    RequestDelegate next, FaultRegistry faults, IEnumerable<SandboxApi> apis, SandboxMemory memory, RequestLog log, TimeProvider time)
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
        var body = await JsonBody.ReadAsync(request);
        request.Body.Position = 0;
        return body;
    }
}

/// <summary>Every request to an API with the status of its answer, a line of JSON each, in a file.</summary>
internal sealed class RequestLog(SandboxOptions options) : IDisposable
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private readonly StreamWriter? _file = options.LogFile is { } file ? new StreamWriter(file, append: true) { AutoFlush = true } : null;

    /// <summary>When the caller leaves before the answer, the request was carried out all the same.</summary>
    public void Write(HttpContext context)
    {
        if (_file is null)
        {
            return;
        }

        var request = context.Request;
        var line = JsonSerializer.Serialize(
            new
            {
                at = options.Time.GetUtcNow(),
                request = $"{request.Method} {request.Path}{request.QueryString}",
                status = context.Response.StatusCode,
            },
            s_json);
        lock (_lock)
        {
            _file.WriteLine(line);
        }
    }

    public void Dispose() => _file?.Dispose();
}

/// <summary>Something that is wrong in the sandbox's world. A person can break and heal it by hand.</summary>
/// <param name="IsOn">Whether it is broken now, or will be once somebody looks.</param>
internal sealed record Trouble(string Name, string What, Func<bool> IsOn, Action Break, Action Heal);

internal sealed class SandboxTroubles(IServiceProvider services, SandboxClusters clusters, SandboxOptions options)
{
    private const string Hung = "llm-b-0";

    public IReadOnlyList<Trouble> All { get; } = Make(services, clusters.Find("b")!, options);

    private static IReadOnlyList<Trouble> Make(IServiceProvider services, SandboxCluster cluster, SandboxOptions options)
    {
        var provider = services.GetServices<SandboxApi>().OfType<ProviderApi>().Single();
        var certificate = services.GetRequiredService<TlsApi>();
        var disks = services.GetServices<ArmKind>().OfType<VirtualMachineKind>().Single();
        return
        [
            new(
                "hung-pod",
                $"The pod {SandboxCluster.Namespace}/{Hung} takes requests and answers none",
                () => cluster.Find(SandboxCluster.Namespace, Hung)?.Last.HungAt is not null,
                () => cluster.Hang(SandboxCluster.Namespace, Hung),
                () => cluster.Revive(SandboxCluster.Namespace, Hung)),
            new(
                "gpu-node",
                "A GPU of a node has fallen off the bus (XID 79)",
                () => cluster.Nodes().Any(node => node.Fault is not null),
                cluster.LoseGpu,
                cluster.GiveGpuBack),
            new(
                "provider",
                "The LLM provider answers 503",
                () => provider.IsDown(ask: false),
                () => provider.SetDown(down: true),
                () => provider.SetDown(down: false)),
            Timed(
                "throughput",
                "The deployment ptu has used up its provisioned throughput, and answers 429",
                ProvisionedThroughput.Began,
                options.ProviderRecoversAfter),
            Timed("region-b", "Region b answers slowly", SimulatedTraffic.Began, options.RegionRecoversAfter),
            Timed("abuse", "Somebody sends a prompt that lifts safeguards again and again", Abuse.Began, options.AbuserTiresAfter),
            Timed("rush", "The chat servers have more to do than they can", EngineTraffic.Began, options.LoadLastsFor),
            new("disk", "Old files fill the disks of virtual machines", () => disks.AreFull, disks.Fill, disks.CleanUp),
            new(
                "certificate",
                "The certificate that the sandbox shows expires soon",
                () => certificate.ExpiresSoon,
                certificate.Reset,
                () => certificate.Renew()),
        ];

        Trouble Timed(string name, string what, string key, TimeSpan lasts)
        {
            var began = services.GetRequiredKeyedService<FirstAsked>(key);
            return new(name, what, () => began.Known is not { } at || options.Time.GetUtcNow() < at + lasts, began.Reset, began.End);
        }
    }
}
