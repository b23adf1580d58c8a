using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.OnCall;

/// <summary>PagerDuty's REST API v2, as far as schedules need it: <c>GET /oncalls</c> of this moment, for the key <c>practice</c>.</summary>
internal sealed class PagerDutyApi(SandboxOptions options) : SandboxApi("pagerduty")
{
    /// <summary>A schedule that is in two escalation policies comes twice, as it does there.</summary>
    private static readonly string[] s_policies = ["PT20YPA", "PT21YPB"];

    public override void Map(IEndpointRouteBuilder routes) => routes.MapGet("/oncalls", (HttpRequest request) =>
    {
        if (request.Headers.Authorization.ToString() != $"Token token={Rota.Token}")
        {
            return Error(401, request);
        }

        var (person, start, end) = Rota.At(options.Time.GetUtcNow());
        var whole = request.Query["include[]"].Contains("users");
        var entries = request.Query["schedule_ids[]"].Contains(Rota.PagerDutyId)
            ? s_policies.Select((policy, at) => (JsonNode)new JsonObject
            {
                ["escalation_policy"] = Reference("escalation_policies", policy, "escalation_policy_reference", "Engineering Escalation Policy"),
                ["escalation_level"] = at + 1,
                ["schedule"] = Reference("schedules", Rota.PagerDutyId, "schedule_reference", "Daily Engineering Rotation"),
                ["user"] = whole ? User(person) : Reference("users", person.PagerDutyId, "user_reference", person.Name),
                ["start"] = $"{start:yyyy-MM-ddTHH:mm:ssZ}",
                ["end"] = $"{end:yyyy-MM-ddTHH:mm:ssZ}",
            })
            : [];
        return Results.Text(new JsonObject { ["oncalls"] = new JsonArray([.. entries]), ["limit"] = 25, ["offset"] = 0, ["more"] = false, ["total"] = null }.ToJsonString(), "application/json");
    });

    public override object Describe() => Rota.At(options.Time.GetUtcNow()).Person.Name;

    public override void Reset()
    {
    }

    public override IResult Error(int status, HttpRequest request) => status switch
    {
        401 => Results.Json(new { error = new { message = "Invalid Credentials", code = 2006 } }, statusCode: 401),
        429 => Results.Json(new { error = new { message = "Rate Limit Exceeded", code = 2020 } }, statusCode: 429),
        _ => Results.Json(new { error = new { message = "Internal Server Error", code = 2000 } }, statusCode: status),
    };

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
