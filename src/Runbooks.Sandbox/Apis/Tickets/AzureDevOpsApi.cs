namespace Runbooks.Sandbox.Apis.Tickets;

/// <summary>
/// Work items of Azure DevOps, as far as tickets need it. The project <c>operations</c> has Azure DevOps' Basic process: the type Issue
/// has the states To Do, Doing and Done.
/// </summary>
internal sealed partial class AzureDevOpsApi(SandboxChanges changes) : TicketApi("azuredevops", changes)
{
    private const string Project = "operations";
    private const string Issue = "Issue";
    private const string Tags = "System.Tags";

    private static readonly (string Name, string Color, string Category)[] s_states =
    [
        ("To Do", "b2b2b2", "Proposed"),
        ("Doing", "007acc", "InProgress"),
        ("Done", "339933", "Completed"),
    ];

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost($"/{Project}/_apis/wit/wiql", (HttpRequest request) => WithBodyAsync<JsonObject>(request, body =>
        {
            if (Tagged().Match(Text(body["query"]) ?? "") is not { Success: true } query)
            {
                return Failed(400, "TF51005: The sandbox reads only: … [System.Tags] CONTAINS '…' ORDER BY [System.Id]");
            }

            var found = Rows.Where(item => (Text(item["fields"]![Tags]) ?? "")
                .Split(';', StringSplitOptions.TrimEntries)
                .Contains(query.Groups["tag"].Value, StringComparer.OrdinalIgnoreCase));
            return Json(new JsonObject
            {
                ["queryType"] = "flat",
                ["workItems"] = new JsonArray([.. found.Select(item => (JsonNode)new JsonObject { ["id"] = item["id"]!.DeepClone() })]),
            });
        }));
        routes.MapPost($"/{Project}/_apis/wit/workitems/${{type}}", (HttpRequest request, string type) => WithBodyAsync<JsonArray>(request, patch =>
        {
            if (type != Issue)
            {
                return NoSuchType(type);
            }

            var item = new JsonObject
            {
                ["id"] = Count + 1,
                ["rev"] = 0,
                ["fields"] = new JsonObject { ["System.WorkItemType"] = type, ["System.State"] = s_states[0].Name },
                ["comments"] = new JsonArray(),
            };
            if (Refusal(request, patch) is { } refusal)
            {
                return refusal;
            }

            Apply(item, patch);
            Add(item);
            return Json(Shown(item));
        }));
        routes.MapGet($"/{Project}/_apis/wit/workitemtypes/{{type}}/states", (
            HttpRequest request, string type) => SignedIn(request, () => type != Issue ? NoSuchType(type) : Json(new JsonObject
        {
            ["count"] = s_states.Length,
            ["value"] = new JsonArray([
                .. s_states.Select(state => (JsonNode)new JsonObject
                {
                    ["name"] = state.Name,
                    ["color"] = state.Color,
                    ["category"] = state.Category,
                }),
            ]),
        })));
        routes.MapGet(
            $"/{Project}/_apis/wit/workitems/{{id:int}}",
            (HttpRequest request, int id) => SignedIn(request, () => Find(id) is { } item ? Json(Shown(item)) : Error(404, request)));
        routes.MapPatch($"/{Project}/_apis/wit/workitems/{{id:int}}", (HttpRequest request, int id) => WithBodyAsync<JsonArray>(request, patch =>
        {
            if (Find(id) is not { } item)
            {
                return Error(404, request);
            }

            if (Refusal(request, patch) is { } refusal)
            {
                return refusal;
            }

            Apply(item, patch);
            Touch();
            return Json(Shown(item));
        }));
        routes.MapGet($"/{Project}/_apis/wit/workItems/{{id:int}}/comments", (
            HttpRequest request, int id) => SignedIn(request, () => Find(id) is not { } item ? Error(404, request)
            : !$"{request.Query["api-version"]}".EndsWith("-preview.4", StringComparison.Ordinal) ? Failed(
                400,
                "The requested version of the resource is under preview. The -preview flag must be supplied in the api-version for such requests.")
            : Json(new JsonObject
            {
                ["totalCount"] = item["comments"]!.AsArray().Count,
                ["comments"] = new JsonArray([.. item["comments"]!.AsArray().Reverse().Select(comment => comment!.DeepClone())]),
            })));
    }

    public override IResult Error(int status, HttpRequest request) => status switch
    {
        // It answers a wrong token with its sign-in page.
        401 => Results.Text("<!DOCTYPE html><title>Azure DevOps Services | Sign In</title>", "text/html", statusCode: 203),
        404 => Failed(404, "TF401232: Work item does not exist, or you do not have permissions to read it."),
        _ => Failed(status, "TF400898: An Internal Error Occurred. The sandbox was told to fail."),
    };

    private static IResult NoSuchType(string type) =>
        Failed(404, $"VS402323: Work item type {type} does not exist in project {Project} or you do not have permission to access it.");

    private JsonObject? Find(int id) => Rows.FirstOrDefault(item => item["id"]!.GetValue<int>() == id);

    private static IResult? Refusal(HttpRequest request, JsonArray patch) =>
        request.ContentType?.StartsWith("application/json-patch+json", StringComparison.Ordinal) != true ? Failed(
            415, "VS403435: The content type has to be application/json-patch+json.")
        : patch.FirstOrDefault(one => Text(one?["op"]) != "add"
            || Text(one?["path"])?.StartsWith("/fields/", StringComparison.Ordinal) != true) is { } wrong ? Failed(
                400, $"You must pass a valid patch document in the body of the request: {wrong["path"]}")
        : patch.FirstOrDefault(one => Text(one!["path"]) == "/fields/System.State") is { } state
            && s_states.All(one => one.Name != Text(state["value"])) ? Failed(
                400, $"The field 'State' contains the value '{state["value"]}' that is not in the list of supported values")
        : null;

    /// <summary>History is not a field with a value: each one is a comment.</summary>
    private static void Apply(JsonObject item, JsonArray patch)
    {
        foreach (var one in patch.OfType<JsonObject>())
        {
            var field = Text(one["path"])!["/fields/".Length..];
            if (field == "System.History")
            {
                var comments = item["comments"]!.AsArray();
                comments.Add(new JsonObject { ["id"] = comments.Count + 1, ["text"] = one["value"]!.DeepClone() });
            }
            else
            {
                item["fields"]![field] = one["value"]?.DeepClone();
            }
        }

        item["rev"] = item["rev"]!.GetValue<int>() + 1;
    }

    private static JsonObject Shown(JsonObject item)
    {
        var shown = item.DeepClone().AsObject();
        shown.Remove("comments");
        return shown;
    }

    private static IResult Failed(int status, string message) =>
        Results.Json(
            new Dictionary<string, object> { ["$id"] = "1", ["message"] = message, ["typeKey"] = "VssServiceException", ["errorCode"] = 0 },
            statusCode: status);

    [GeneratedRegex(@"\[System\.Tags\] CONTAINS '(?<tag>[^']+)' ORDER BY \[System\.Id\]$", RegexOptions.NonBacktracking)]
    private static partial Regex Tagged();
}
