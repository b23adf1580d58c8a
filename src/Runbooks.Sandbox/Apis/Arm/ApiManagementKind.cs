using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>
/// API Management services. Any subscription that is asked for exists and is active; any pool of backends that is asked
/// for has <c>openai-ptu</c> and, for when that one cannot be used, <c>openai-paygo</c>, and keeps a session on one of them, of which
/// older versions of the API know nothing. Changes need the etag.
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

    /// <summary>Whether that subscription's keys are let in.</summary>
    public bool LetsIn(string subscription) =>
        Resources.Values.All(service => (string?)service["_subscriptions"]?[subscription]?["properties"]?["state"] is null or "active");

    protected override JsonObject Begin(ArmRequest request) => Envelope(request, "Microsoft.ApiManagement/service", []);

    private static IResult Change(ArmRequest request, JsonObject found, JsonObject changes)
    {
        var given = request.Http.Headers.IfMatch.ToString();
        if (given != "*" && given != ETag(found))
        {
            return Results.Json(new { error = new { code = "PreconditionFailed", message = "Resource was modified since last retrieval." } }, statusCode: given.Length == 0 ? 400 : 412);
        }

        var properties = (JsonObject)found["properties"]!;
        if (changes["pool"] is JsonObject pool)
        {
            // Replaced as a whole: what is left out of it is gone.
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
