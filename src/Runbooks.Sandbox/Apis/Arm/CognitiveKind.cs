namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>
/// Azure OpenAI accounts: keys that can be regenerated; <c>gpt-4o-ptu</c> with provisioned throughput, <c>gpt-4o-paygo</c> of the same
/// model and <c>gpt-4o-mini</c> of another; and the content filter <c>assist-filter</c>, which refuses prompts with an item of the
/// blocklist <c>incidents</c>. The list <c>unused</c> is in no filter.
/// </summary>
internal sealed class CognitiveKind() : ArmKind("microsoft.cognitiveservices/accounts")
{
    private const int ItemsOnAPage = 100;

    private static readonly string[] s_readOnly = ["capabilities", "provisioningState", "rateLimits"];

    /// <summary>Whether a content filter refuses this prompt. An item that is not a regular expression is searched for, ignoring case.</summary>
    public bool Blocks(string prompt) => Resources.Values.Any(account => Children(account, "_raiBlocklistItems").Any(item =>
        (string?)item["_list"] == "incidents"
            && (bool?)item["properties"]?["isRegex"] == false
            && prompt.Contains((string?)item["properties"]?["pattern"] ?? "\0", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Whether requests that the provisioned deployment refuses go to another one.</summary>
    public bool SpillsOver => Resources.Values.Any(account =>
        Children(account, "_deployments").Any(one => (string?)one["name"] == "gpt-4o-ptu"
            && one["properties"]?["spilloverDeploymentName"] is not null));

    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var account = Resource(request);
        if (request.Is("PATCH") && request.Body is { } changes)
        {
            Merge(account, changes);
        }

        return request.Rest switch
        {
            ["regeneratekey"] when request.Method == "POST" && (string?)request.Body?["keyName"] is "Key1" or "Key2" => Rotate(account),
            ["deployments", var name] => Deployment(request, operations, account, name),
            ["raiblocklists", "incidents" or "unused"] when request.Method == "GET" =>
                Json(Child(request, "raiBlocklists", request.Rest[1], new JsonObject { ["description"] = "Prompts of incidents" })),
            ["raiblocklists", ("incidents" or "unused") and var list, "raiblocklistitems"] when request.Method == "GET" => Items(
                request, account, list),
            ["raiblocklists", ("incidents" or "unused") and var list, "raiblocklistitems", var name] => Item(request, account, list, name),
            ["raipolicies", "assist-filter"] when request.Method == "GET" => Json(Child(request, "raiPolicies", "assist-filter", Filter())),
            [] when request.Method is "GET" or "PATCH" => Json(account),
            _ => null,
        };
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var account = Envelope(
            request,
            "Microsoft.CognitiveServices/accounts",
            new JsonObject { ["provisioningState"] = "Succeeded", ["disableLocalAuth"] = false });
        account["_rotations"] = 0;
        account["_deployments"] = new JsonObject(new[]
        {
            Deployment("gpt-4o-ptu", "GlobalProvisionedManaged", 100, "gpt-4o", "2024-11-20"),
            Deployment("gpt-4o-paygo", "GlobalStandard", 450, "gpt-4o", "2024-11-20"),
            Deployment("gpt-4o-mini", "GlobalStandard", 200, "gpt-4o-mini", "2024-07-18"),
        }
            .Select(one => KeyValuePair.Create((string)one["name"]!, (JsonNode?)one)));
        account["_raiBlocklistItems"] = new JsonObject();
        return account;

        JsonObject Deployment(string name, string sku, int capacity, string model, string version) => new()
        {
            ["id"] = $"{request.Root}/deployments/{name}",
            ["type"] = "Microsoft.CognitiveServices/accounts/deployments",
            ["name"] = name,
            ["sku"] = new JsonObject { ["name"] = sku, ["capacity"] = capacity },
            ["properties"] = new JsonObject
            {
                ["model"] = new JsonObject { ["format"] = "OpenAI", ["name"] = model, ["version"] = version },
                ["versionUpgradeOption"] = "NoAutoUpgrade",
                ["currentCapacity"] = capacity,
                ["raiPolicyName"] = "assist-filter",
                ["contextCacheContainerId"] = $"{request.Group}/providers/Microsoft.AzureContextCache/accounts/assist/containers/{model}",
                ["serviceTier"] = "Default",
                ["capabilities"] = new JsonObject { ["chatCompletion"] = "true" },
                ["provisioningState"] = "Succeeded",
                ["rateLimits"] = new JsonArray(new JsonObject { ["key"] = "request", ["renewalPeriod"] = 10, ["count"] = capacity }),
            },
            ["etag"] = "\"practice\"",
        };
    }

    private static readonly (string, string)[] s_later =
    [
        ("serviceTier", "2025-12-01"),
        ("routing", "2025-12-01"),
        ("deploymentState", "2025-12-01"),
        ("contextCacheContainerId", "2026-07-15-preview"),
    ];

    private static IEnumerable<JsonObject> Children(JsonObject account, string list) =>
        (account[list] as JsonObject ?? []).Select(one => one.Value).OfType<JsonObject>();

    private static IResult Rotate(JsonObject account)
    {
        account["_rotations"] = (int)account["_rotations"]! + 1;
        return Json(new JsonObject { ["key1"] = $"practice-secret-{account["_rotations"]}", ["key2"] = "practice-secret-2" });
    }

    private static IResult? Deployment(ArmRequest request, ArmOperations operations, JsonObject account, string name)
    {
        if (account["_deployments"]?[name] is not JsonObject found)
        {
            return null;
        }

        switch (request.Method, request.Body?["properties"])
        {
            case ("GET", _):
                return Json(AsOf(request, found, s_later));
            case ("PUT", JsonObject properties) when properties["model"] is JsonObject && request.Body!["sku"] is JsonObject:
                var written = AsOf(request, request.Body, s_later)["properties"]!.DeepClone().AsObject();
                return operations.Accept(request, () =>
                {
                    // A PUT removes what it leaves out, except the service's own fields.
                    foreach (var only in s_readOnly)
                    {
                        written[only] = found["properties"]?[only]?.DeepClone();
                    }

                    found["sku"] = request.Body["sku"]!.DeepClone();
                    found["properties"] = written;
                    return null;
                }, written: () => written);
            default:
                return null;
        }
    }

    private static IResult Items(ArmRequest request, JsonObject account, string list)
    {
        var first = int.TryParse(request.Http.Query["$skipToken"], out var token) ? token : 0;
        var all = Children(account, "_raiBlocklistItems").Where(item => (string?)item["_list"] == list).ToList();
        var page = new JsonObject { ["value"] = new JsonArray([.. all.Skip(first).Take(ItemsOnAPage).Select(item => item.DeepClone())]) };
        if (first + ItemsOnAPage < all.Count)
        {
            page["nextLink"] = $"{request.Http.Scheme}://{request.Http.Host}{request.Http.Path}?api-version={request.Version}&$skipToken={first + ItemsOnAPage}";
        }

        return Json(page);
    }

    private static IResult? Item(ArmRequest request, JsonObject account, string list, string name)
    {
        var (items, key) = (account["_raiBlocklistItems"]!.AsObject(), $"{list}/{name}");
        switch (request.Method, request.Body?["properties"]?["pattern"])
        {
            // The same answer for an item that does not exist: the API has no GET of one item (Azure/azure-rest-api-specs#31986).
            case ("GET", _):
                return Results.Json(new { error = new { code = "BadRequest", message = "Bad Request" } }, statusCode: 400);
            case ("PUT", JsonValue):
                var fresh = items[key] is null;
                var item = Child(request, "raiBlocklists", $"{list}/raiBlocklistItems/{name}", request.Body!["properties"]!.DeepClone().AsObject());
                (item["name"], item["_list"]) = (name, list);
                items[key] = item;
                return Json(item, fresh ? 201 : 200);
            case ("DELETE", _):
                return Results.StatusCode(items.Remove(key) ? 200 : 204);
            default:
                return null;
        }
    }

    private static JsonObject Child(ArmRequest request, string type, string name, JsonObject properties) =>
        new() { ["id"] = $"{request.Root}/{type}/{name}", ["name"] = name, ["properties"] = properties };

    private static JsonObject Filter() => new()
    {
        ["basePolicyName"] = "Microsoft.Default",
        ["mode"] = "Blocking",
        ["contentFilters"] = new JsonArray(new JsonObject
        {
            ["name"] = "Hate",
            ["blocking"] = true,
            ["enabled"] = true,
            ["severityThreshold"] = "Medium",
            ["source"] = "Prompt",
        }),
        ["customBlocklists"] = new JsonArray(new JsonObject { ["blocklistName"] = "incidents", ["blocking"] = true, ["source"] = "Prompt" }),
    };
}
