using System.Collections.Concurrent;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>One kind of resource. Every name exists once it is asked for. To add one, derive from this and name it in <see cref="ArmKinds"/>.</summary>
internal abstract class ArmKind(string type) : IRemembered
{
    private readonly ConcurrentDictionary<string, JsonObject> _resources = new(StringComparer.Ordinal);

    public string Type => type;

    public IReadOnlyDictionary<string, JsonObject> Resources => _resources;

    /// <returns>Null where this kind has nothing there.</returns>
    public abstract IResult? Answer(ArmRequest request, ArmOperations operations);

    public virtual void Reset() => _resources.Clear();

    string IRemembered.Key => $"arm/{type}";

    JsonNode? IRemembered.Save() =>
        new JsonObject([
            .. _resources
                .OrderBy(one => one.Key, StringComparer.Ordinal)
                .Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value.DeepClone())),
        ]);

    void IRemembered.Load(JsonNode saved)
    {
        foreach (var (key, resource) in saved.AsObject())
        {
            _resources[key] = resource!.DeepClone().AsObject();
        }
    }

    protected abstract JsonObject Begin(ArmRequest request);

    protected JsonObject Resource(ArmRequest request) => _resources.GetOrAdd(request.Key, _ => Begin(request));

    protected void Keep(ArmRequest request, JsonObject changed) => _resources[request.Key] = changed;

    /// <summary>As Azure shows it. Fields that begin with an underscore are the sandbox's own, and only its state shows them.</summary>
    protected static IResult Json(JsonNode? value, int status = 200) =>
        Results.Text(Shown(value)?.ToJsonString() ?? "", "application/json", statusCode: status);

    internal static JsonNode? Shown(JsonNode? value) => value switch
    {
        JsonObject known => new JsonObject(known
            .Where(one => !one.Key.StartsWith('_'))
            .Select(one => KeyValuePair.Create(one.Key, Shown(one.Value)))),
        JsonArray all => new JsonArray([.. all.Select(Shown)]),
        _ => value?.DeepClone(),
    };

    /// <summary>A resource in the API version of the request, without fields of later versions.</summary>
    /// <param name="later">Paths below its properties, and the version that added each.</param>
    protected static JsonObject AsOf(ArmRequest request, JsonObject resource, params ReadOnlySpan<(string Path, string Since)> later)
    {
        var shown = resource.DeepClone().AsObject();
        foreach (var (path, since) in later)
        {
            var parts = path.Split('/');
            if (string.CompareOrdinal(request.Version, since) < 0)
            {
                (parts[..^1].Aggregate(shown["properties"], (at, part) => (at as JsonObject)?[part]) as JsonObject)?.Remove(parts[^1]);
            }
        }

        return shown;
    }

    /// <summary>Given fields are replaced, others stay.</summary>
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

/// <param name="Root">The id of the resource itself, without what is below it; as written.</param>
/// <param name="Type">Its type in lower case: <c>microsoft.network/trafficmanagerprofiles</c>.</param>
internal sealed record ArmRequest(HttpRequest Http, string Root, string Type, IReadOnlyList<string> Rest, JsonObject? Body)
{
    public string Method => Http.Method;

    public string Version { get; } = Http.Query["api-version"].ToString();

    public string Name => Root[(Root.LastIndexOf('/') + 1)..];

    public string Group => Root[..Root.IndexOf("/providers/", StringComparison.OrdinalIgnoreCase)];

    /// <summary>The types below it, where types and names alternate.</summary>
    public IEnumerable<string> Below => Rest.Where((_, at) => at % 2 == 0);

    public string Key => Root.ToLowerInvariant();

    public bool Is(string method, params ReadOnlySpan<string> rest) => Method == method && rest.SequenceEqual(Rest.ToArray());

    /// <returns>Null where it is not an id, or the body is not a JSON object.</returns>
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
            body = await JsonBody.ReadAsync(http) as JsonObject;
            if (body is null)
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

/// <summary>
/// Long-running operations: accepted at once, and done a little later whether or not anybody asks. With the fault they fail then. A
/// resource keeps what was written even where that failed, and shows the failure. Each operation is followed at the address, and with the
/// permission, that the provider has for it, which is not below the resource.
/// </summary>
internal sealed class ArmOperations(FaultRegistry faults, SandboxOptions options, SandboxChanges changes, TimeProvider time)
{
    private const string Region = "westeurope";
    private readonly ConcurrentDictionary<string, Operation> _operations = new(StringComparer.OrdinalIgnoreCase);
    private int _last;

    /// <param name="effect">What happens to the resource when it ends well; returns the operation's output.</param>
    /// <param name="begun">The answer; null where the provider answers with 202 alone.</param>
    /// <param name="written">The properties of the written resource; null for an action.</param>
    public IResult Accept(ArmRequest request, Func<JsonNode?> effect, IResult? begun = null, Func<JsonNode?>? written = null)
    {
        var where = $"{request.Method} {request.Http.Path}";
        var fails = faults.Take(fault => fault.Api == "arm" && fault.Kind == Fault.LroFails
            && (fault.On is null || where.Contains(fault.On, StringComparison.OrdinalIgnoreCase))) is not null;
        var id = Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);
        var (path, operation) = (PathOf(request, id), new Operation(id, time.GetUtcNow() + options.OperationTakes, fails, new Lazy<JsonNode?>(Do)));
        _operations[path] = operation;
        operation.Timer = time.CreateTimer(_ => End(operation), null, options.OperationTakes, Timeout.InfiniteTimeSpan);

        var response = request.Http.HttpContext.Response;
        response.Headers["Azure-AsyncOperation"] = $"{request.Http.Scheme}://{request.Http.Host}/arm{path}?api-version=2024-01-01";
        response.Headers.RetryAfter = Wait;
        return begun ?? Results.StatusCode(202);

        JsonNode? Do()
        {
            var output = fails && written is null ? null : effect();
            if (written?.Invoke() is JsonObject properties)
            {
                properties["provisioningState"] = fails ? "Failed" : "Succeeded";
            }

            return output;
        }
    }

    public IResult? Show(ArmRequest request)
    {
        if (request.Method != "GET" || !_operations.TryGetValue(string.Join('/', request.Rest.Prepend(request.Root)), out var operation))
        {
            return null;
        }

        if (time.GetUtcNow() < operation.Due)
        {
            request.Http.HttpContext.Response.Headers.RetryAfter = Wait;
            return Results.Json(new { name = operation.Id, status = "InProgress" });
        }

        End(operation);
        return operation.Fails
            ? Results.Json(new
            {
                name = operation.Id,
                status = "Failed",
                error = new { code = "InternalOperationError", message = "The sandbox was told to let this operation fail." },
            })
            : Results.Text(
                new JsonObject
                {
                    ["name"] = operation.Id,
                    ["status"] = "Succeeded",
                    ["properties"] = new JsonObject { ["output"] = ArmKind.Shown(operation.Effect.Value) },
                }.ToJsonString(),
                "application/json");
    }

    public void Reset()
    {
        foreach (var operation in _operations.Values)
        {
            operation.Timer?.Dispose();
        }

        _operations.Clear();
    }

    private void End(Operation operation)
    {
        lock (changes.Gate)
        {
            if (!operation.Effect.IsValueCreated)
            {
                changes.Touch();
                _ = operation.Effect.Value;
            }
        }
    }

    private string Wait => Math.Ceiling(options.OperationTakes.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    // From the recordings of azure-cli's tests: the answer of Azure-AsyncOperation, which for Front Door's origins is shorter than that of
    // Location.
    private static string PathOf(ArmRequest request, string id)
    {
        var subscription = $"/subscriptions/{request.Root.Split('/')[2]}/providers";
        return request.Type switch
        {
            "microsoft.cdn/profiles" => $"{request.Group}/providers/Microsoft.Cdn/operationresults/{id}",
            "microsoft.network/frontdoorwebapplicationfirewallpolicies" => $"{request.Group}/providers/Microsoft.Network/frontdooroperationresults/{id}",
            "microsoft.network/applicationgatewaywebapplicationfirewallpolicies" => $"{subscription}/Microsoft.Network/locations/{Region}/operations/{id}",
            "microsoft.machinelearningservices/workspaces" => $"{subscription}/Microsoft.MachineLearningServices/locations/{Region}/mfeOperationsStatus/{id}",
            "microsoft.cognitiveservices/accounts" => $"{subscription}/Microsoft.CognitiveServices/locations/{Region}/operationResults/{id}",
            _ => $"{subscription}/Microsoft.Compute/locations/{Region}/operations/{id}",
        };
    }

    private sealed record Operation(string Id, DateTimeOffset Due, bool Fails, Lazy<JsonNode?> Effect)
    {
        public ITimer? Timer { get; set; }
    }
}
