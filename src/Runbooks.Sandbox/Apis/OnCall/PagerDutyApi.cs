using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.OnCall;

/// <summary>PagerDuty's REST API v2, as far as schedules need it: <c>GET /oncalls</c> of this moment and <c>GET /schedules/{id}</c>, for the key <c>practice</c>.</summary>
internal sealed class PagerDutyApi(SandboxOptions options) : SandboxApi("pagerduty")
{
    /// <summary>A schedule that is in two escalation policies comes twice, as it does there.</summary>
    private static readonly string[] s_policies = ["PT20YPA", "PT21YPB"];

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/oncalls", (HttpRequest request) => IsSignedIn(request) ? Answer(OnCalls(request)) : Error(401, request));
        routes.MapGet("/schedules/{id}", (HttpRequest request, string id) => !IsSignedIn(request) ? Error(401, request)
            : id switch
            {
                Rota.PagerDutyId => Answer(Schedule(id, "Daily Engineering Rotation", [.. s_policies.Select(Policy)], Rota.People)),
                Rota.PagerDutyEmptyId => Answer(Schedule(id, "Holidays", [Policy(s_policies[0])], [])),
                Rota.PagerDutyUnusedId => Answer(Schedule(id, "Weekend Rotation", [], Rota.People)),
                _ => Error(404, request),
            });
    }

    public override object Describe() => Rota.At(options.Time.GetUtcNow()).Person.Name;

    public override void Reset()
    {
    }

    public override IResult Error(int status, HttpRequest request) => status switch
    {
        401 => Results.Json(new { error = new { message = "Invalid Credentials", code = 2006 } }, statusCode: 401),
        404 => Results.Json(new { error = new { message = "Not Found", code = 2100 } }, statusCode: 404),
        429 => Results.Json(new { error = new { message = "Rate Limit Exceeded", code = 2020 } }, statusCode: 429),
        _ => Results.Json(new { error = new { message = "Internal Server Error", code = 2000 } }, statusCode: status),
    };

    private static bool IsSignedIn(HttpRequest request) => request.Headers.Authorization.ToString() == $"Token token={Rota.Token}";

    private static IResult Answer(JsonObject body) => Results.Text(body.ToJsonString(), "application/json");

    private JsonObject OnCalls(HttpRequest request)
    {
        var (person, start, end) = Rota.At(options.Time.GetUtcNow());
        var whole = request.Query["include[]"].Contains("users");
        var entries = request.Query["schedule_ids[]"].Contains(Rota.PagerDutyId)
            ? s_policies.Select((policy, at) => (JsonNode)new JsonObject
            {
                ["escalation_policy"] = Policy(policy),
                ["escalation_level"] = at + 1,
                ["schedule"] = Reference("schedules", Rota.PagerDutyId, "schedule_reference", "Daily Engineering Rotation"),
                ["user"] = whole ? User(person) : Reference("users", person.PagerDutyId, "user_reference", person.Name),
                ["start"] = $"{start:yyyy-MM-ddTHH:mm:ssZ}",
                ["end"] = $"{end:yyyy-MM-ddTHH:mm:ssZ}",
            })
            : [];
        var limit = int.TryParse(request.Query["limit"], out var wanted) ? wanted : 25;
        var offset = int.TryParse(request.Query["offset"], out var passed) ? passed : 0;
        var all = entries.ToList();
        return new JsonObject { ["oncalls"] = new JsonArray([.. all.Skip(offset).Take(limit)]), ["limit"] = limit, ["offset"] = offset, ["more"] = offset + limit < all.Count, ["total"] = null };
    }

    /// <summary>Without a time range nothing of it is rendered, so who is on call does not stand in it.</summary>
    private static JsonObject Schedule(string id, string name, IReadOnlyList<JsonObject> policies, IReadOnlyList<RotaPerson> people)
    {
        var schedule = Reference("schedules", id, "schedule", name);
        (schedule["name"], schedule["time_zone"], schedule["description"]) = (name, "UTC", null);
        schedule["users"] = new JsonArray([.. people.Select(person => Reference("users", person.PagerDutyId, "user_reference", person.Name))]);
        (schedule["escalation_policies"], schedule["teams"], schedule["schedule_layers"]) = (new JsonArray([.. policies]), new JsonArray(), new JsonArray());
        (schedule["overrides_subschedule"], schedule["final_schedule"]) = (Part("Overrides"), Part("Final Schedule"));
        return new JsonObject { ["schedule"] = schedule };

        static JsonObject Part(string name) => new() { ["name"] = name, ["rendered_schedule_entries"] = new JsonArray(), ["rendered_coverage_percentage"] = null };
    }

    private static JsonObject Policy(string id) => Reference("escalation_policies", id, "escalation_policy_reference", "Engineering Escalation Policy");

    private static JsonObject Reference(string of, string id, string type, string summary) => new()
    {
        ["id"] = id,
        ["type"] = type,
        ["summary"] = summary,
        ["self"] = $"https://api.pagerduty.com/{of}/{id}",
        ["html_url"] = $"https://subdomain.pagerduty.com/{of}/{id}",
    };

    private static JsonObject User(RotaPerson person)
    {
        var user = Reference("users", person.PagerDutyId, "user", person.Name);
        (user["name"], user["email"], user["time_zone"], user["role"]) = (person.Name, person.Mail, "UTC", "user");
        return user;
    }
}
