namespace Runbooks.Sandbox.Apis.Tickets;

/// <summary>
/// ServiceNow's Table API, as far as tickets need it: rows of any table, found by <c>correlation_id</c>, which only tables that extend
/// <c>task</c> have (not those named <c>u_…</c>). A resolved incident needs its close code and notes.
/// </summary>
internal sealed class ServiceNowApi(SandboxChanges changes, FaultRegistry faults, SandboxOptions options) : TicketApi("servicenow", changes)
{
    private const string Journal = "work_notes";
    private const string CorrelationId = "correlation_id";

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/now/table/{table}", (HttpRequest request, string table) => SignedIn(request, () =>
        {
            // As in an instance where glide.invalid_query.returns_no_rows is not set: a condition on an unknown field is ignored.
            var wanted = !Has(table, CorrelationId) ? null
                : $"{request.Query["sysparm_query"]}"
                    .Split('^')
                    .FirstOrDefault(part => part.StartsWith($"{CorrelationId}=", StringComparison.Ordinal))?.Split('=', 2)[1];
            var limit = int.TryParse(request.Query["sysparm_limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : 10_000;
            var found = Rows.Where(row => Text(row["sys_class_name"]) == table && (wanted is null || Text(row[CorrelationId]) == wanted)).Take(limit);
            return Json(new JsonObject { ["result"] = new JsonArray([.. found.Select(row => Shown(request, row))]) });
        }));
        routes.MapPost("/api/now/table/{table}", (HttpRequest request, string table) => WithBodyAsync<JsonObject>(request, body =>
        {
            var row = new JsonObject
            {
                ["sys_id"] = $"{Count + 1:x32}", ["number"] = $"{(table == "incident" ? "INC" : "TASK")}{Count + 10_001:0000000}", ["sys_class_name"] = table, ["state"] = "1",
            };
            Write(table, row, body);
            Add(row);
            return Json(new JsonObject { ["result"] = Shown(request, row) }, 201);
        }));
        routes.MapGet("/api/now/table/{table}/{id}", (HttpRequest request, string table, string id) => SignedIn(request, () =>
            Find(table, id) is { } row ? Json(new JsonObject { ["result"] = Shown(request, row) }) : Error(404, request)));
        routes.MapPatch("/api/now/table/{table}/{id}", (HttpRequest request, string table, string id) => WithBodyAsync<JsonObject>(request, body =>
        {
            if (Find(table, id) is not { } row)
            {
                return Error(404, request);
            }

            if (table == "incident"
                && body["state"]?.ToString() is "6" or "7"
                && (Text(body["close_code"]) is null || Text(body["close_notes"]) is null))
            {
                return Failed(
                    403,
                    "Operation Failed",
                    "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes");
            }

            Write(table, row, body);
            Touch();
            return Json(new JsonObject { ["result"] = Shown(request, row) });
        }));
    }

    public override IResult Error(int status, HttpRequest request) => status switch
    {
        401 => Failed(401, "User Not Authenticated", "Required to provide Auth information"),
        403 => Failed(403, "Operation Failed", "ACL Exception Update Failed due to security constraints"),
        404 => Failed(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"),
        _ => Failed(status, "Internal error", "The sandbox was told to fail."),
    };

    private JsonObject? Find(string table, string id) =>
        Rows.FirstOrDefault(row => Text(row["sys_class_name"]) == table && Text(row["sys_id"]) == id);

    private static bool Has(string table, string field) => field != CorrelationId || !table.StartsWith("u_", StringComparison.Ordinal);

    /// <summary>
    /// A journal adds entries; every other field takes the value, which is shown as text. Fields that the table does not have, or that the
    /// user may not write, are ignored without an error.
    /// </summary>
    private void Write(string table, JsonObject row, JsonObject body)
    {
        foreach (var (field, value) in body.Where(field => Has(table, field.Key) && !faults.Denies(Name, $"write {table}.{field.Key}")))
        {
            row[field] = field == Journal
                ? $"{options.Time.GetUtcNow():yyyy-MM-dd HH:mm:ss} - Practice (Work notes)\n{value}\n\n{row[field]}"
                : value is JsonValue ? value.ToString() : value?.DeepClone();
        }
    }

    /// <summary>The raw value of a journal is always empty.</summary>
    private static JsonObject Shown(HttpRequest request, JsonObject row)
    {
        var fields = $"{request.Query["sysparm_fields"]}".Split(',', StringSplitOptions.RemoveEmptyEntries);
        var shown = new JsonObject();
        foreach (var (field, value) in row.Where(field => fields.Length == 0 || fields.Contains(field.Key)))
        {
            shown[field] = field == Journal && request.Query["sysparm_display_value"] != "true" ? "" : value?.DeepClone();
        }

        return shown;
    }

    private static IResult Failed(int status, string message, string detail) =>
        Results.Json(new { error = new { message, detail }, status = "failure" }, statusCode: status);
}
