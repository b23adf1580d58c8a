using System.Globalization;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.OnCall;

/// <summary>Grafana OnCall's HTTP API, as far as schedules need it: a schedule's <c>final_shifts</c> between two dates, for the key <c>practice</c>.</summary>
internal sealed class GrafanaOnCallApi(SandboxOptions options) : SandboxApi("grafana-oncall")
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/v1/schedules/{id}/final_shifts", (HttpRequest request, string id) =>
        request.Headers.Authorization != Rota.Token ? Error(403, request)
        : id is not (Rota.GrafanaId or Rota.GrafanaEmptyId) ? Error(404, request)
        : Date(request, "start_date") is { } start && Date(request, "end_date") is { } end && start <= end ? Results.Text(Page(id == Rota.GrafanaId ? Shifts(start, end) : []).ToJsonString(), "application/json")
        : Error(400, request));

    public override object Describe() => Rota.At(options.Time.GetUtcNow()).Person.Name;

    public override void Reset()
    {
    }

    public override IResult Error(int status, HttpRequest request) => Results.Json(
        new
        {
            detail = status switch
            {
                400 => "Invalid dates.",
                401 or 403 => "Invalid token.",
                404 => "Not found.",
                429 => "Request was throttled. Expected available in 60 seconds.",
                _ => "A server error occurred.",
            },
        },
        statusCode: status);

    private static DateTimeOffset? Date(HttpRequest request, string name) =>
        DateTimeOffset.TryParseExact(request.Query[name], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;

    /// <summary>What begins before the first date or ends after the last is cut, as it is there.</summary>
    private static IEnumerable<JsonObject> Shifts(DateTimeOffset start, DateTimeOffset end)
    {
        for (var at = start; at < end; at = Rota.At(at).End)
        {
            var (person, _, until) = Rota.At(at);
            yield return new()
            {
                ["user_pk"] = person.GrafanaId,
                ["user_email"] = person.Mail,
                ["user_username"] = person.UserName,
                ["shift_start"] = $"{at:yyyy-MM-ddTHH:mm:ssZ}",
                ["shift_end"] = $"{(until < end ? until : end):yyyy-MM-ddTHH:mm:ssZ}",
            };
        }
    }

    private static JsonObject Page(IEnumerable<JsonObject> shifts)
    {
        var results = new JsonArray([.. shifts]);
        return new() { ["count"] = results.Count, ["next"] = null, ["previous"] = null, ["results"] = results, ["current_page_number"] = 1, ["page_size"] = 50, ["total_pages"] = 1 };
    }
}
