using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>API Management services; any subscription that is asked for exists and is active. Changes need the etag.</summary>
internal sealed class ApiManagementKind() : ArmKind("microsoft.apimanagement/service")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        if (request.Rest is not ["subscriptions", var name])
        {
            return null;
        }

        var subscriptions = (JsonObject)Resource(request)["_subscriptions"]!;
        lock (subscriptions)
        {
            var subscription = subscriptions[name] as JsonObject ?? (JsonObject)(subscriptions[name] = new JsonObject
            {
                ["id"] = $"{request.Root}/subscriptions/{name}",
                ["type"] = "Microsoft.ApiManagement/service/subscriptions",
                ["name"] = name,
                ["properties"] = new JsonObject { ["displayName"] = name, ["state"] = "active" },
                ["_version"] = 1,
            });
            return request.Method switch
            {
                "GET" => Show(request, subscription),
                "PATCH" when request.Body?["properties"] is JsonObject changes => Change(request, subscription, changes),
                _ => null,
            };
        }
    }

    /// <summary>Whether that subscription's keys are let in.</summary>
    public bool LetsIn(string subscription) =>
        Resources.Values.All(service => (string?)service["_subscriptions"]?[subscription]?["properties"]?["state"] is null or "active");

    protected override JsonObject Begin(ArmRequest request)
    {
        var service = Envelope(request, "Microsoft.ApiManagement/service", []);
        service["_subscriptions"] = new JsonObject();
        return service;
    }

    private static IResult Change(ArmRequest request, JsonObject subscription, JsonObject changes)
    {
        var given = request.Http.Headers.IfMatch.ToString();
        if (given != "*" && given != ETag(subscription))
        {
            return Results.Json(new { error = new { code = "PreconditionFailed", message = "Resource was modified since last retrieval." } }, statusCode: given.Length == 0 ? 400 : 412);
        }

        Merge((JsonObject)subscription["properties"]!, changes);
        subscription["_version"] = (int)subscription["_version"]! + 1;
        return Show(request, subscription);
    }

    private static IResult Show(ArmRequest request, JsonObject subscription)
    {
        request.Http.HttpContext.Response.Headers.ETag = ETag(subscription);
        return Json(subscription);
    }

    private static string ETag(JsonObject subscription) => $"\"v{subscription["_version"]}\"";
}
