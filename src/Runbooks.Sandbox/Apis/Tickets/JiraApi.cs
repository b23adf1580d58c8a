namespace Runbooks.Sandbox.Apis.Tickets;

/// <summary>
/// Jira Cloud's REST API v3, as far as tickets need it. The projects <c>OPS</c> and <c>CHG</c> have the types Task and Bug, and the
/// statuses To Do, In Progress and Done. Closing an issue of <c>CHG</c> needs a resolution.
/// </summary>
internal sealed partial class JiraApi(SandboxChanges changes, SandboxOptions options) : TicketApi("jira", changes)
{
    private const string Api = "/rest/api/3";

    private static readonly string[] s_projects = ["OPS", "CHG"];
    private static readonly string[] s_types = ["Task", "Bug"];
    private static readonly (string Id, string Status, string Category)[] s_transitions =
    [
        ("11", "To Do", "new"),
        ("21", "In Progress", "indeterminate"),
        ("31", "Done", "done"),
    ];

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost($"{Api}/search/jql", (HttpRequest request) => WithBodyAsync<JsonObject>(request, body =>
        {
            if (Labelled().Match(Text(body["jql"]) ?? "") is not { Success: true } query)
            {
                return Failed(400, "The sandbox reads only: project = \"…\" AND labels = \"…\" ORDER BY created ASC");
            }

            var found = Rows.Where(issue => Text(issue["fields"]!["project"]!["key"]) == query.Groups["project"].Value
                && (issue["fields"]!["labels"] as JsonArray ?? []).Any(label => Text(label) == query.Groups["label"].Value));
            return Json(new JsonObject
            {
                ["issues"] = new JsonArray([.. found.Take(body["maxResults"]?.GetValue<int>() ?? 50).Select(Listed)]),
                ["isLast"] = true,
            });
        }));
        routes.MapPost($"{Api}/issue", (HttpRequest request) => WithBodyAsync<JsonObject>(request, body => Create(request, body)));
        routes.MapGet(
            $"{Api}/issue/{{key}}",
            (HttpRequest request, string key) => SignedIn(request, () => OnIssue(request, key, issue => Json(Listed(issue)))));
        routes.MapPut($"{Api}/issue/{{key}}", (
            HttpRequest request, string key) => WithBodyAsync<JsonObject>(request, body => OnIssue(request, key, issue =>
        {
            foreach (var (field, value) in body["fields"] as JsonObject ?? [])
            {
                issue["fields"]![field] = value?.DeepClone();
            }

            return Results.NoContent();
        })));
        routes.MapGet($"{Api}/issue/{{key}}/comment", (
            HttpRequest request, string key) => SignedIn(request, () => OnIssue(request, key, issue => Json(new JsonObject
        {
            ["startAt"] = 0, ["comments"] = new JsonArray([.. issue["comments"]!.AsArray().Reverse().Select(comment => comment!.DeepClone())]),
        }))));
        routes.MapPost($"{Api}/issue/{{key}}/comment", (
            HttpRequest request, string key) => WithBodyAsync<JsonObject>(request, body => OnIssue(request, key, issue =>
        {
            if (Text(body["body"]?["type"]) != "doc")
            {
                return Failed(400, "Comment body is not valid!");
            }

            var comments = issue["comments"]!.AsArray();
            var comment = new JsonObject
            {
                ["id"] = $"{comments.Count + 10_000}",
                ["body"] = body["body"]!.DeepClone(),
                ["created"] = $"{options.Time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffzz00}",
            };
            comments.Add(comment.DeepClone());
            return Json(comment, 201);
        })));
        routes.MapGet($"{Api}/issue/{{key}}/transitions", (
            HttpRequest request, string key) => SignedIn(request, () => OnIssue(request, key, _ => Json(new JsonObject
        {
            ["transitions"] = new JsonArray([
                .. s_transitions.Select(to => (JsonNode)new JsonObject { ["id"] = to.Id, ["name"] = to.Status, ["to"] = Status(to) }),
            ]),
        }))));
        routes.MapPost($"{Api}/issue/{{key}}/transitions", (
            HttpRequest request, string key) => WithBodyAsync<JsonObject>(request, body => OnIssue(request, key, issue =>
        {
            if (s_transitions.FirstOrDefault(to => to.Id == Text(body["transition"]?["id"])) is not { Id: not null } to)
            {
                return Failed(
                    400,
                    "It seems that you have tried to perform a workflow operation that is not valid for the current state of this issue.");
            }

            // The last transition of CHG has the resolution on its screen, and its workflow requires it.
            var asks = Text(issue["fields"]!["project"]!["key"]) == "CHG" && to.Category == "done";
            var resolution = body["fields"]?["resolution"];
            if (asks != resolution is not null)
            {
                return Failed(
                    400,
                    null,
                    (
                        "resolution",
                        asks ? "Resolution is required." : "Field 'resolution' cannot be set. It is not on the appropriate screen, or unknown."));
            }

            issue["fields"]!["status"] = Status(to);
            issue["fields"]!["resolution"] = resolution?.DeepClone();
            return Results.NoContent();
        })));
    }

    public override IResult Error(int status, HttpRequest request) => status switch
    {
        400 => Failed(400, "There was an error parsing JSON."),
        401 => Failed(401, "Client must be authenticated to access this resource."),
        404 => Failed(404, "Issue does not exist or you do not have permission to see it."),
        _ => Failed(status, "Internal server error, the sandbox was told to fail."),
    };

    private IResult Create(HttpRequest request, JsonObject body)
    {
        if (body["fields"] is not JsonObject fields || Text(fields["project"]?["key"]) is not { } project || !s_projects.Contains(project))
        {
            return Failed(400, null, ("project", "valid project is required"));
        }

        if (!s_types.Contains(Text(fields["issuetype"]?["name"])))
        {
            return Failed(400, null, ("issuetype", "Specify a valid issue type"));
        }

        if (Text(fields["summary"]) is not { Length: > 0 and <= 255 } || Text(fields["description"]?["type"]) is not "doc")
        {
            return Failed(400, null, ("summary", "You must specify a summary of the issue."));
        }

        var key = $"{project}-{Count + 1}";
        var kept = fields.DeepClone().AsObject();
        kept["status"] = Status(s_transitions[0]);
        Add(new JsonObject { ["id"] = $"{Count + 10_000}", ["key"] = key, ["fields"] = kept, ["comments"] = new JsonArray() });
        return Json(
            new JsonObject
            {
                ["id"] = $"{Count + 9_999}",
                ["key"] = key,
                ["self"] = $"{request.Scheme}://{request.Host}/jira{Api}/issue/{Count + 9_999}",
            },
            201);
    }

    private IResult OnIssue(HttpRequest request, string key, Func<JsonObject, IResult> work)
    {
        if (Rows.FirstOrDefault(issue => Text(issue["key"]) == key || Text(issue["id"]) == key) is not { } found)
        {
            return Error(404, request);
        }

        var answer = work(found);
        Touch();
        return answer;
    }

    private static JsonNode Listed(JsonObject issue) =>
        new JsonObject
        {
            ["id"] = issue["id"]!.DeepClone(),
            ["key"] = issue["key"]!.DeepClone(),
            ["fields"] = new JsonObject { ["status"] = issue["fields"]!["status"]!.DeepClone() },
        };

    private static JsonObject Status((string Id, string Status, string Category) to) => new()
    {
        ["name"] = to.Status,
        ["statusCategory"] = new JsonObject { ["key"] = to.Category },
    };

    private static IResult Failed(int status, string? message, params (string Field, string Words)[] fields) => Results.Json(
        new
        {
            errorMessages = message is null ? Array.Empty<string>() : [message],
            errors = fields.ToDictionary(field => field.Field, field => field.Words),
        }, statusCode: status);

    [GeneratedRegex("^project = \"(?<project>[^\"]+)\" AND labels = \"(?<label>[^\"]+)\" ORDER BY created ASC$", RegexOptions.NonBacktracking)]
    private static partial Regex Labelled();
}
