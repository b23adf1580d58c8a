namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>
/// Workspaces of Azure Machine Learning. Every online endpoint has the deployments <c>blue</c>, which serves, <c>green</c>, which stands
/// by, and <c>grey</c>, which is still being made. A PUT writes the whole endpoint, as in Azure; a PATCH takes only tags and the identity.
/// </summary>
internal sealed class MachineLearningKind() : ArmKind("microsoft.machinelearningservices/workspaces")
{
    private static readonly string[] s_readOnly = ["provisioningState", "scoringUri", "swaggerUri"];

    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        if (request.Rest is not (["onlineendpoints", _] or ["onlineendpoints", _, "deployments", _]))
        {
            return null;
        }

        var (workspace, name) = (Resource(request), request.Rest[1]);
        if (workspace["_endpoints"]?[name] is not JsonObject endpoint)
        {
            workspace["_endpoints"]![name] = endpoint = Endpoint(request, name);
        }

        if (request.Rest.Count > 2)
        {
            return request.Method == "GET" && request.Rest[3] is "blue" or "green" or "grey"
                ? Json(Deployment(request, name, request.Rest[3]))
                : null;
        }

        return (request.Method, request.Body?["properties"]) switch
        {
            ("GET", _) => Json(endpoint),
            ("PUT", JsonObject properties) when properties["authMode"] is not null && request.Body!["location"] is not null => Sums(properties)
                ? operations.Accept(request, () => Write(endpoint, request.Body), written: () => endpoint["properties"])
                : Error("Traffic values need to sum to 0 or 100."),
            ("PATCH", not null) => Error("Could not find member 'properties' on object of type 'PartialMinimalTrackedResourceWithIdentity'."),
            _ => null,
        };
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var workspace = Envelope(request, "Microsoft.MachineLearningServices/workspaces", new JsonObject { ["provisioningState"] = "Succeeded" });
        workspace["_endpoints"] = new JsonObject();
        return workspace;
    }

    private static bool Sums(JsonObject properties) => (properties["traffic"] as JsonObject ?? []).Sum(one => (int?)one.Value ?? 0) is 0 or 100;

    private static IResult Error(string message) =>
        Json(new JsonObject { ["error"] = new JsonObject { ["code"] = "BadArgument", ["message"] = message } }, 400);

    private static JsonNode? Write(JsonObject endpoint, JsonObject body)
    {
        // A PUT removes what it leaves out, except the service's own fields.
        var written = body["properties"]!.DeepClone().AsObject();
        foreach (var only in s_readOnly)
        {
            written[only] = endpoint["properties"]![only]?.DeepClone();
        }

        endpoint["properties"] = written;
        endpoint["tags"] = body["tags"]?.DeepClone();
        if (body["identity"] is JsonObject identity)
        {
            endpoint["identity"] = Identity((string?)identity["type"] ?? "", identity["userAssignedIdentities"]);
        }

        return null;
    }

    /// <summary>The ids of the system-assigned identity. An endpoint with user-assigned identities alone has none.</summary>
    private static JsonObject Identity(string type, JsonNode? assigned)
    {
        var identity = new JsonObject { ["type"] = type };
        if (type.Contains("SystemAssigned", StringComparison.Ordinal))
        {
            identity["principalId"] = "11111111-2222-3333-4444-55555555c0de";
            identity["tenantId"] = "22222222-2222-3333-4444-55555555c0de";
        }

        if (assigned is not null)
        {
            identity["userAssignedIdentities"] = assigned.DeepClone();
        }

        return identity;
    }

    private static JsonObject Endpoint(ArmRequest request, string name) => new()
    {
        ["id"] = $"{request.Root}/onlineEndpoints/{name}",
        ["name"] = name,
        ["type"] = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        ["location"] = "westeurope",
        ["tags"] = new JsonObject { ["team"] = "ai-platform" },
        ["kind"] = "Managed",
        ["identity"] = Identity("SystemAssigned", assigned: null),
        ["properties"] = new JsonObject
        {
            ["authMode"] = "Key",
            ["description"] = "Answers of the assistant",
            ["publicNetworkAccess"] = "Enabled",
            ["properties"] = new JsonObject { ["azureml.onlineendpointid"] = "practice" },
            ["traffic"] = new JsonObject { ["blue"] = 90, ["green"] = 10 },
            ["mirrorTraffic"] = new JsonObject(),
            ["provisioningState"] = "Succeeded",
            ["scoringUri"] = $"https://{name}.westeurope.inference.ml.azure.com/score",
            ["swaggerUri"] = $"https://{name}.westeurope.inference.ml.azure.com/swagger.json",
        },
        ["systemData"] = new JsonObject { ["createdByType"] = "User" },
    };

    private static JsonObject Deployment(ArmRequest request, string endpoint, string name) => new()
    {
        ["id"] = $"{request.Root}/onlineEndpoints/{endpoint}/deployments/{name}",
        ["name"] = name,
        ["type"] = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
        ["location"] = "westeurope",
        ["properties"] = new JsonObject { ["endpointComputeType"] = "Managed", ["provisioningState"] = name == "grey" ? "Creating" : "Succeeded" },
    };
}

/// <summary>
/// API Management services. Every subscription exists and is active. Every pool of backends has <c>openai-ptu</c> and, for when that one
/// cannot be used, <c>openai-paygo</c>, and keeps a session on one of them, which older versions of the API do not show. Changes need the
/// etag.
/// </summary>
internal sealed class ApiManagementKind() : ArmKind("microsoft.apimanagement/service")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        if (request.Rest is not ["subscriptions" or "backends", var name])
        {
            return null;
        }

        var (service, list) = (Resource(request), request.Rest[0]);
        lock (service)
        {
            if (service[$"_{list}"] is not JsonObject all)
            {
                service[$"_{list}"] = all = [];
            }

            if (all[name] is not JsonObject found)
            {
                all[name] = found = new JsonObject
                {
                    ["id"] = $"{request.Root}/{list}/{name}",
                    ["type"] = $"Microsoft.ApiManagement/service/{list}",
                    ["name"] = name,
                    ["properties"] = list == "subscriptions" ? new JsonObject { ["displayName"] = name, ["state"] = "active" } : Pool(request.Root),
                    ["_version"] = 1,
                };
            }

            return request.Method switch
            {
                "GET" => Show(request, found),
                "PATCH" when request.Body?["properties"] is JsonObject changes => Change(request, found, changes),
                _ => null,
            };
        }
    }

    private static JsonObject Pool(string service) => new()
    {
        ["description"] = "Provisioned throughput first, pay as you go when it is used up",
        ["type"] = "Pool",
        ["pool"] = new JsonObject
        {
            ["services"] = new JsonArray(
                new JsonObject { ["id"] = $"{service}/backends/openai-ptu", ["priority"] = 1, ["weight"] = 100 },
                new JsonObject { ["id"] = $"{service}/backends/openai-paygo", ["priority"] = 2, ["weight"] = 100 }),
            ["sessionAffinity"] = new JsonObject { ["sessionId"] = new JsonObject { ["source"] = "Cookie", ["name"] = "SessionId" } },
        },
    };

    public bool LetsIn(string subscription) =>
        Resources.Values.All(service => (string?)service["_subscriptions"]?[subscription]?["properties"]?["state"] is null or "active");

    /// <summary>Whether a pool of that service sends traffic to a backend beside the provisioned one while all of them answer.</summary>
    public bool SpillsOver(string service) => Resources.Where(one => one.Key.EndsWith("/" + service, StringComparison.OrdinalIgnoreCase)).Any(one =>
    {
        lock (one.Value)
        {
            return (one.Value["_backends"] as JsonObject ?? []).Any(pool =>
            {
                List<JsonNode> used =
                [
                    .. pool.Value!["properties"]!["pool"]!["services"]!
                        .AsArray()
                        .Select(backend => backend!)
                        .Where(backend => (int?)backend["weight"] != 0),
                ];
                return used.Exists(backend => (int?)backend["priority"] == used.Min(other => (int?)other["priority"])
                    && !((string)backend["id"]!).EndsWith("/openai-ptu", StringComparison.OrdinalIgnoreCase));
            });
        }
    });

    protected override JsonObject Begin(ArmRequest request) => Envelope(request, "Microsoft.ApiManagement/service", []);

    private static IResult Change(ArmRequest request, JsonObject found, JsonObject changes)
    {
        var given = request.Http.Headers.IfMatch.ToString();
        if (given != "*" && given != ETag(found))
        {
            return Results.Json(
                new { error = new { code = "PreconditionFailed", message = "Resource was modified since last retrieval." } },
                statusCode: given.Length == 0 ? 400 : 412);
        }

        var properties = (JsonObject)found["properties"]!;
        if (changes["pool"] is JsonObject pool)
        {
            // A PUT removes what it leaves out.
            properties["pool"] = pool.DeepClone();
        }

        Merge(properties, changes);
        found["_version"] = (int)found["_version"]! + 1;
        return Show(request, found);
    }

    private static IResult Show(ArmRequest request, JsonObject found)
    {
        request.Http.HttpContext.Response.Headers.ETag = ETag(found);
        return Json(AsOf(request, found, ("pool/sessionAffinity", "2025-09-01")));
    }

    private static string ETag(JsonObject found) => $"\"v{found["_version"]}\"";
}
