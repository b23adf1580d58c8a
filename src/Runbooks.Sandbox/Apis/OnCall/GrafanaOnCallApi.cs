using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.OnCall;

/// <summary>Grafana OnCall's HTTP API, as far as schedules need it: a schedule with <c>on_call_now</c>, and users; for the key <c>practice</c>.</summary>
internal sealed class GrafanaOnCallApi(SandboxOptions options) : SandboxApi("grafana-oncall")
{
    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v1/schedules/{id}/", (HttpRequest request, string id) => SignedIn(request, () => id is Rota.GrafanaId or Rota.GrafanaEmptyId
            ? new JsonObject
            {
                ["id"] = id,
                ["team_id"] = null,
                ["name"] = "Daily Engineering Rotation",
                ["type"] = "web",
                ["time_zone"] = "UTC",
                ["on_call_now"] = id == Rota.GrafanaId ? new JsonArray(Rota.At(options.Time.GetUtcNow()).Person.GrafanaId) : [],
                ["shifts"] = new JsonArray("OH3V5FYQEYJ6M", "O9WTH7CKM3KZW"),
                ["ical_url_overrides"] = null,
                ["slack"] = new JsonObject { ["channel_id"] = null, ["user_group_id"] = null },
            }
            : null));
        routes.MapGet("/api/v1/users/{id}/", (HttpRequest request, string id) => SignedIn(request, () => Rota.People.FirstOrDefault(person => person.GrafanaId == id) is { } person
            ? new JsonObject
            {
                ["id"] = person.GrafanaId,
                ["email"] = person.Mail,
                ["slack"] = new JsonArray(new JsonObject { ["user_id"] = person.SlackId, ["team_id"] = "T012AB3CD" }),
                ["username"] = person.UserName,
                ["role"] = "user",
                ["timezone"] = "UTC",
                ["teams"] = new JsonArray(),
            }
            : null));
    }

    public override object Describe() => Rota.At(options.Time.GetUtcNow()).Person.Name;

    public override void Reset()
    {
    }

    public override IResult Error(int status, HttpRequest request) => Results.Json(
        new
        {
            detail = status switch
            {
                401 or 403 => "Invalid token.",
                404 => "Not found.",
                429 => "Request was throttled. Expected available in 60 seconds.",
                _ => "A server error occurred.",
            },
        },
        statusCode: status);

    private IResult SignedIn(HttpRequest request, Func<JsonObject?> find) =>
        request.Headers.Authorization != Rota.Token ? Error(403, request) : find() is { } found ? Results.Text(found.ToJsonString(), "application/json") : Error(404, request);
}
