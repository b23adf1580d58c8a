using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Front Door profiles; every origin group has the origins <c>cluster-a</c> and <c>cluster-b</c>. Changes are long-running.</summary>
internal sealed class FrontDoorKind() : ArmKind("microsoft.cdn/profiles")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var groups = (JsonObject)Resource(request)["_groups"]!;
        if (request.Rest is not ["origingroups", var group, "origins", ..])
        {
            return null;
        }

        lock (groups)
        {
            var origins = groups[group] as JsonArray ?? (JsonArray)(groups[group] = new JsonArray(Origin(request, group, "cluster-a"), Origin(request, group, "cluster-b")));
            if (request.Rest.Count == 3)
            {
                return request.Method == "GET" ? Json(new JsonObject { ["value"] = origins.DeepClone() }) : null;
            }

            var origin = origins.OfType<JsonObject>().FirstOrDefault(one => (string?)one["name"] == request.Rest[3]);
            return (request.Method, origin) switch
            {
                (_, null) => null,
                ("GET", _) => Json(origin),
                ("PATCH", _) when request.Body?["properties"] is JsonObject changes => operations.Accept(request, () =>
                {
                    Merge((JsonObject)origin["properties"]!, changes);
                    return origin;
                }),
                _ => null,
            };
        }
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var profile = Envelope(request, "Microsoft.Cdn/profiles", new JsonObject { ["resourceState"] = "Active" });
        profile["_groups"] = new JsonObject();
        return profile;
    }

    private static JsonObject Origin(ArmRequest request, string group, string name) => new()
    {
        ["id"] = $"{request.Root}/originGroups/{group}/origins/{name}",
        ["name"] = name,
        ["type"] = "Microsoft.Cdn/profiles/originGroups/origins",
        ["properties"] = new JsonObject
        {
            ["hostName"] = $"{name}.practice.example",
            ["enabledState"] = "Enabled",
            ["priority"] = 1,
            ["weight"] = 500,
        },
    };
}
