using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>One kind of resource: any name that is asked for exists. To add one, derive from this and name it in <see cref="ArmKinds"/>.</summary>
internal abstract class ArmKind(string type) : IRemembered
{
    private readonly ConcurrentDictionary<string, JsonObject> _resources = new(StringComparer.Ordinal);

    /// <summary>In lower case.</summary>
    public string Type => type;

    public IReadOnlyDictionary<string, JsonObject> Resources => _resources;

    /// <returns>Null: there is nothing of that kind.</returns>
    public abstract IResult? Answer(ArmRequest request, ArmOperations operations);

    public virtual void Reset() => _resources.Clear();

    string IRemembered.Key => $"arm/{type}";

    JsonNode? IRemembered.Save() => new JsonObject([.. _resources.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value.DeepClone()))]);

    void IRemembered.Load(JsonNode saved)
    {
        foreach (var (key, resource) in saved.AsObject())
        {
            _resources[key] = resource!.DeepClone().AsObject();
        }
    }

    /// <summary>How one of that name begins.</summary>
    protected abstract JsonObject Begin(ArmRequest request);

    protected JsonObject Resource(ArmRequest request) => _resources.GetOrAdd(request.Key, _ => Begin(request));

    protected void Keep(ArmRequest request, JsonObject changed) => _resources[request.Key] = changed;

    /// <summary>As Azure shows it: what begins with an underscore is the sandbox's own, and only its state tells of it.</summary>
    protected static IResult Json(JsonNode? value, int status = 200) =>
        Results.Text(Shown(value)?.ToJsonString() ?? "", "application/json", statusCode: status);

    internal static JsonNode? Shown(JsonNode? value) => value switch
    {
        JsonObject known => new JsonObject(known.Where(one => !one.Key.StartsWith('_')).Select(one => KeyValuePair.Create(one.Key, Shown(one.Value)))),
        JsonArray all => new JsonArray([.. all.Select(Shown)]),
        _ => value?.DeepClone(),
    };

    /// <summary>What is given replaces, what is not stays.</summary>
    protected static void Merge(JsonObject into, JsonObject changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is JsonObject inner && into[name] is JsonObject old)
            {
                Merge(old, inner);
            }
            else
            {
                into[name] = value?.DeepClone();
            }
        }
    }

    protected static JsonObject Envelope(ArmRequest request, string type, JsonObject properties) => new()
    {
        ["id"] = request.Root,
        ["name"] = request.Name,
        ["type"] = type,
        ["location"] = "Global",
        ["properties"] = properties,
    };
}

/// <summary>A request to Azure Resource Manager, taken apart.</summary>
/// <param name="Root">The id of the resource itself, without what is below it; as written.</param>
/// <param name="Type">Its type in lower case: <c>microsoft.network/trafficmanagerprofiles</c>.</param>
/// <param name="Rest">What stands below it, in lower case.</param>
internal sealed record ArmRequest(HttpRequest Http, string Root, string Type, IReadOnlyList<string> Rest, JsonObject? Body)
{
    public string Method => Http.Method;

    public string Name => Root[(Root.LastIndexOf('/') + 1)..];

    /// <summary>The key of its state: ids ignore case.</summary>
    public string Key => Root.ToLowerInvariant();

    public bool Is(string method, params ReadOnlySpan<string> rest) => Method == method && rest.SequenceEqual(Rest.ToArray());

    /// <returns>Null: it is not an id, or the body is not a JSON object.</returns>
    public static async Task<ArmRequest?> ReadAsync(HttpRequest http, string prefix)
    {
        var parts = http.Path.Value![prefix.Length..].Trim('/').Split('/');
        // subscriptions/{s}/resourceGroups/{g}/providers/{ns}/{type}/{name}, or the same without a group.
        var at = Array.FindIndex(parts, part => part.Equals("providers", StringComparison.OrdinalIgnoreCase));
        if (at < 0 || parts.Length < at + 4 || http.Query["api-version"].Count == 0)
        {
            return null;
        }

        JsonObject? body = null;
        if (http.ContentLength > 0 || http.Headers.TransferEncoding.Count > 0)
        {
            try
            {
                body = (await JsonNode.ParseAsync(http.Body, cancellationToken: http.HttpContext.RequestAborted))?.AsObject();
            }
            catch (Exception odd) when (odd is JsonException or InvalidOperationException)
            {
                return null;
            }
        }

        return new ArmRequest(
            http,
            "/" + string.Join('/', parts.Take(at + 4)),
            $"{parts[at + 1]}/{parts[at + 2]}".ToLowerInvariant(),
            [.. parts.Skip(at + 4).Select(part => part.ToLowerInvariant())],
            body);
    }
}

/// <summary>Long-running operations: accepted at once, done a little later, and failing then when the fault says so.</summary>
internal sealed class ArmOperations(FaultRegistry faults, SandboxOptions options, SandboxChanges changes, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Operation> _operations = new(StringComparer.Ordinal);
    private int _last;

    /// <param name="effect">What happens to the resource when it ends well; its result is the operation's output.</param>
    public IResult Accept(ArmRequest request, Func<JsonNode?> effect)
    {
        var where = $"{request.Method} {request.Http.Path}";
        var fails = faults.Take(fault => fault.Api == "arm" && fault.Kind == Fault.LroFails
            && (fault.On is null || where.Contains(fault.On, StringComparison.OrdinalIgnoreCase))) is not null;
        var id = Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);
        _operations[id] = new Operation(time.GetUtcNow() + options.OperationTakes, fails, new Lazy<JsonNode?>(effect));

        var response = request.Http.HttpContext.Response;
        response.Headers["Azure-AsyncOperation"] = $"{request.Http.Scheme}://{request.Http.Host}/arm/_operations/{id}?api-version=2024-01-01";
        response.Headers.RetryAfter = Wait;
        return Results.StatusCode(202);
    }

    public IResult Show(HttpRequest request, string id)
    {
        if (!_operations.TryGetValue(id, out var operation))
        {
            return Results.StatusCode(404);
        }

        if (time.GetUtcNow() < operation.Due)
        {
            request.HttpContext.Response.Headers.RetryAfter = Wait;
            return Results.Json(new { name = id, status = "InProgress" });
        }

        if (operation is { Fails: false, Effect.IsValueCreated: false })
        {
            changes.Touch();
        }

        return operation.Fails
            ? Results.Json(new { name = id, status = "Failed", error = new { code = "InternalOperationError", message = "The sandbox was told to let this operation fail." } })
            : Results.Text(
                new JsonObject { ["name"] = id, ["status"] = "Succeeded", ["properties"] = new JsonObject { ["output"] = ArmKind.Shown(operation.Effect.Value) } }.ToJsonString(),
                "application/json");
    }

    public void Reset() => _operations.Clear();

    private string Wait => Math.Ceiling(options.OperationTakes.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private sealed record Operation(DateTimeOffset Due, bool Fails, Lazy<JsonNode?> Effect);
}
