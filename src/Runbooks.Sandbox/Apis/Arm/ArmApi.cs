namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Azure Resource Manager: resources of some kinds, their metrics and their health.</summary>
internal sealed class ArmApi(
    IEnumerable<ArmKind> kinds,
    ArmOperations operations,
    ArmPermissions permissions,
    SimulatedTraffic traffic,
    SandboxChanges changes,
    TimeProvider time) : SandboxApi("arm")
{
    private readonly Dictionary<string, ArmKind> _kinds = kinds.ToDictionary(kind => kind.Type);

    public override void Map(IEndpointRouteBuilder routes) => routes.Map("/{**path}", (Delegate)AnswerAsync);

    public override object Describe() => new
    {
        resources = _kinds.Values.Where(kind => kind.Resources.Count > 0).ToDictionary(kind => kind.Type, kind => kind.Resources),
    };

    public override void Reset()
    {
        foreach (var kind in _kinds.Values)
        {
            kind.Reset();
        }

        operations.Reset();
        traffic.Reset();
    }

    public override IResult Error(int status, HttpRequest request)
    {
        if (status is 429 or 503)
        {
            request.HttpContext.Response.Headers.RetryAfter = "1";
        }

        var (code, message) = status switch
        {
            403 => ("AuthorizationFailed", Unauthorized(request.Method, request.Path)),
            404 => ("ResourceNotFound", $"The resource under {request.Path} was not found."),
            409 => ("Conflict", "Another operation on this resource is in progress."),
            412 => ("PreconditionFailed", "The condition 'If-Match' was not met."),
            429 => ("TooManyRequests", "The request is being throttled."),
            400 when request.Query["api-version"].Count == 0 => (
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests."),
            400 => ("InvalidRequest", "The request is not what this API takes."),
            _ => ("InternalServerError", "The server could not serve the request."),
        };
        return Results.Json(new { error = new { code, message } }, statusCode: status);
    }

    private async Task<IResult> AnswerAsync(HttpRequest http)
    {
        var request = await ArmRequest.ReadAsync(http, "/arm");
        if (request is null)
        {
            return Error(400, http);
        }

        lock (changes.Gate)
        {
            if (request.Method != "GET")
            {
                changes.Touch();
            }

            return Answer(request) ?? Error(404, http);
        }
    }

    private IResult? Answer(ArmRequest request)
    {
        var http = request.Http;
        return request.Rest switch
        {
            [.., "providers", "microsoft.authorization", "permissions"] when request.Method == "GET" => permissions.Show(),
            _ when ArmVersions.Refuse(request) is { } refusal => refusal,
            _ when permissions.Deny(request) is { } operation => Results.Json(
                new { error = new { code = "AuthorizationFailed", message = Unauthorized(operation, request.Root) } }, statusCode: 403),
            ["providers", "microsoft.insights", "metrics"] when request.Method == "GET" => ArmMetrics.Show(request, traffic, time),
            ["providers", "microsoft.resourcehealth", "availabilitystatuses", "current"] when request.Method == "GET" => Health(request),
            _ => operations.Show(request) ?? _kinds.GetValueOrDefault(request.Type)?.Answer(request, operations),
        };
    }

    private static string Unauthorized(string operation, string scope) =>
        $"The client 'practice' does not have authorization to perform action '{operation}' over scope '{scope}'.";

    private IResult Health(ArmRequest request)
    {
        var slow = traffic.IsSlow(request.Name);
        return Results.Text(
            new JsonObject
            {
                ["id"] = $"{request.Root}/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
                ["name"] = "current",
                ["type"] = "Microsoft.ResourceHealth/AvailabilityStatuses",
                ["properties"] = new JsonObject
                {
                    ["availabilityState"] = slow ? "Degraded" : "Available",
                    ["title"] = slow ? "Degraded" : "Available",
                    ["summary"] = slow
                        ? "The resource answers more slowly than usual."
                        : "There aren't any known Azure platform problems affecting this resource.",
                    ["reasonType"] = slow ? "Unplanned" : "",
                    ["occuredTime"] = time.GetUtcNow().ToString("O"),
                    ["reportedTime"] = time.GetUtcNow().ToString("O"),
                },
            }.ToJsonString(),
            "application/json");
    }
}

internal static class ArmKinds
{
    public static IServiceCollection AddArm(this IServiceCollection services) => services
        .AddSingleton<ArmOperations>()
        .AddSingleton<ArmPermissions>()
        .AddSingleton<TrafficManagerKind>()
        .AddSingleton<FrontDoorKind>()
        .AddSingleton<SimulatedTraffic>()
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<TrafficManagerKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<FrontDoorKind>())
        .AddSingleton<FrontDoorWafKind>()
        .AddSingleton<ApplicationGatewayWafKind>()
        .AddSingleton<ApiManagementKind>()
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<FrontDoorWafKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<ApplicationGatewayWafKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<ApiManagementKind>())
        .AddSingleton<CognitiveKind>()
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<CognitiveKind>())
        .AddSingleton<ArmKind, MachineLearningKind>()
        .AddSingleton<ArmKind, SiteKind>()
        .AddSingleton<ArmKind, ContainerAppKind>()
        .AddSingleton<ArmKind, VirtualMachineKind>()
        .AddSingleton<ArmKind, ScaleSetKind>()
        .AddSingleton<ArmKind, ManagedClusterKind>()
        .AddSingleton<ArmKind, AlertKind>();
}

internal sealed class ArmPermissions(FaultRegistry faults)
{
    public string? Deny(ArmRequest request) => OperationOf(request) is var operation && faults.Denies("arm", operation) ? operation : null;

    public IResult Show() => Results.Text(
        new JsonObject
        {
            ["value"] = new JsonArray(new JsonObject
            {
                ["actions"] = new JsonArray("*"),
                ["notActions"] = new JsonArray([.. faults.Denied("arm").Select(denied => (JsonNode)denied)]),
                ["dataActions"] = new JsonArray(),
                ["notDataActions"] = new JsonArray(),
            }),
        }.ToJsonString(),
        "application/json");

    // A POST ends with an action, or with another provider and its type.
    private static string OperationOf(ArmRequest request) =>
        $"{(request.Rest is ["providers", var provider, var type, ..] ? $"{provider}/{type}" : string.Join('/', request.Below.Prepend(request.Type)))}/{request.Method switch
        {
            "GET" or "HEAD" => "read",
            "POST" => "action",
            "DELETE" => "delete",
            _ => "write",
        }}";
}

/// <summary>
/// The API versions of each type of resource, as of August 2026, and for Azure OpenAI of September. Others are refused, as by Azure
/// Resource Manager.
/// </summary>
/// <seealso href="https://github.com/Azure/bicep-types-az"/>
internal static class ArmVersions
{
    private static readonly Dictionary<string, (string Type, string[] Versions)> s_known = Read().ToDictionary(
        one => one.Type, StringComparer.OrdinalIgnoreCase);

    /// <returns>Null where the type has that version.</returns>
    public static IResult? Refuse(ArmRequest request)
    {
        // A type that is not listed has the versions of its parent.
        var levels = request.Below.ToList();
        var type = Enumerable.Range(0, levels.Count + 1)
            .Select(left => string.Join('/', levels.SkipLast(left).Prepend(request.Type)))
            .FirstOrDefault(s_known.ContainsKey);

        // What another provider adds to every resource has versions of its own.
        if (type is null || request.Rest.Contains("providers"))
        {
            return null;
        }

        var known = s_known[type];
        if (known.Versions.Contains(request.Version))
        {
            return null;
        }

        var message = $"No registered resource provider found for location 'westeurope' and "
            + $"API version '{request.Version}' for type '{known.Type.Split('/', 2)[1]}'. "
            + $"The supported api-versions are '{string.Join(", ", known.Versions)}'. The supported locations are 'westeurope'.";
        return Results.Json(new { error = new { code = "NoRegisteredProviderFound", message } }, statusCode: 400);
    }

    private static IEnumerable<(string Type, string[] Versions)> Read()
    {
        using var text = new StreamReader(typeof(ArmVersions).Assembly.GetManifestResourceStream("api-versions.txt")!);
        while (text.ReadLine() is { } line)
        {
            yield return line.Split(' ') is [var type, .. var versions] ? (type, versions) : throw new InvalidDataException(line);
        }
    }
}
