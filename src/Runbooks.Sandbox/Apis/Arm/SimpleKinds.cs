using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Azure OpenAI accounts, whose keys can be replaced.</summary>
internal sealed class CognitiveKind() : ArmKind("microsoft.cognitiveservices/accounts")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var account = Resource(request);
        if (request.Is("POST", "regeneratekey") && (string?)request.Body?["keyName"] is "Key1" or "Key2")
        {
            account["_rotations"] = (int)account["_rotations"]! + 1;
            return Json(new JsonObject { ["key1"] = $"practice-secret-{account["_rotations"]}", ["key2"] = "practice-secret-2" });
        }

        return request.Is("GET") ? Json(account) : null;
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var account = Envelope(request, "Microsoft.CognitiveServices/accounts", new JsonObject { ["provisioningState"] = "Succeeded", ["disableLocalAuth"] = false });
        account["_rotations"] = 0;
        return account;
    }
}

/// <summary>Web apps and function apps.</summary>
internal sealed class SiteKind() : ArmKind("microsoft.web/sites")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var site = Resource(request);
        if (request.Is("POST", "restart"))
        {
            site["_restarts"] = (int)site["_restarts"]! + 1;
            return Results.Ok();
        }

        if (request.Is("PATCH") && request.Body is { } changes)
        {
            Merge(site, changes);
        }

        return request.Is("GET") || request.Is("PATCH") ? Json(site) : null;
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var site = Envelope(request, "Microsoft.Web/sites", new JsonObject { ["state"] = "Running" });
        site["_restarts"] = 0;
        return site;
    }
}

/// <summary>Container apps with one revision.</summary>
internal sealed class ContainerAppKind() : ArmKind("microsoft.app/containerapps")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var app = Resource(request);
        switch (request.Rest)
        {
            case []:
                return request.Method == "GET" ? Json(app) : null;
            case ["revisions", var revision] when request.Method == "GET":
                return Json(new JsonObject { ["name"] = revision, ["properties"] = new JsonObject { ["active"] = string.Equals(revision, $"{request.Name}--r1", StringComparison.OrdinalIgnoreCase) } });
            case ["revisions", _, "restart"] when request.Method == "POST":
                app["_restarts"] = (int)app["_restarts"]! + 1;
                return Results.Ok();
            default:
                return null;
        }
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var app = Envelope(request, "Microsoft.App/containerApps", new JsonObject { ["latestReadyRevisionName"] = $"{request.Name}--r1".ToLowerInvariant() });
        app["_restarts"] = 0;
        return app;
    }
}
