namespace Runbooks.Sandbox.Apis;

/// <summary>Who is on call in the sandbox: Ada from 08:00 to 20:00 UTC, Grace through the night.</summary>
internal static class Rota
{
    public const string Token = "practice";

    public const string PagerDutyId = "PI7DH85", GrafanaId = "SBM7DV7BKFUYU";

    /// <summary>A schedule that no escalation policy uses.</summary>
    public const string PagerDutyUnusedId = "PUNUSED";

    /// <summary>A schedule without anybody.</summary>
    public const string PagerDutyEmptyId = "PEMPTY1", GrafanaEmptyId = "SEMPTYSCHEDUL";

    public static IReadOnlyList<RotaPerson> People { get; } =
    [
        new("PADA001", "UADA000000001", "ada", "Ada Lovelace", "ada@example.com"),
        new("PGRACE1", "UGRACE0000001", "grace", "Grace Hopper", "grace@example.com"),
    ];

    public static (RotaPerson Person, DateTimeOffset Start, DateTimeOffset End) At(DateTimeOffset now)
    {
        var day = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return now.UtcDateTime.Hour switch
        {
            < 8 => (People[1], day.AddHours(-4), day.AddHours(8)),
            < 20 => (People[0], day.AddHours(8), day.AddHours(20)),
            _ => (People[1], day.AddHours(20), day.AddHours(32)),
        };
    }
}

internal sealed record RotaPerson(string PagerDutyId, string GrafanaId, string UserName, string Name, string Mail);

/// <summary>The same rota as a public calendar: <c>/calendar/oncall.ics</c>, as a calendar application publishes one.</summary>
internal sealed class CalendarApi() : SandboxApi("calendar")
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapGet("/oncall.ics", () => Results.Text(Text, "text/calendar", Encoding.UTF8));

    public override object Describe() => "two series";

    public override void Reset()
    {
    }

    public override IResult Error(int status, HttpRequest request) => Results.Text("The sandbox was told to fail.", statusCode: status);

    private static string Text { get; } = string.Join("\r\n", (string[])
    [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//runbooks//sandbox//EN", "X-WR-TIMEZONE:UTC",
        .. Rota.People.SelectMany((person, at) => (string[])
        [
            "BEGIN:VEVENT", $"UID:{person.UserName}@sandbox", "DTSTAMP:20260101T000000Z", $"DTSTART:20260101T{(at == 0 ? "08" : "20")}0000Z", "DURATION:PT12H", "RRULE:FREQ=DAILY",
            "SUMMARY:On call", $"ATTENDEE;CN={person.Name};PARTSTAT=ACCEPTED:mailto:{person.Mail}", "END:VEVENT",
        ]),
        "END:VCALENDAR", "",
    ]);
}

/// <summary>
/// Grafana OnCall's HTTP API, as far as schedules need it: a schedule's <c>final_shifts</c> between two dates, for the key
/// <c>practice</c>.
/// </summary>
internal sealed class GrafanaOnCallApi(SandboxOptions options) : SandboxApi("grafana-oncall")
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/v1/schedules/{id}/final_shifts", (HttpRequest request, string id) =>
        request.Headers.Authorization != Rota.Token ? Error(403, request)
        : id is not (Rota.GrafanaId or Rota.GrafanaEmptyId) ? Error(404, request)
        : Date(request, "start_date") is { } start
            && Date(request, "end_date") is { } end
            && start <= end ? Results.Text(Page(id == Rota.GrafanaId ? Shifts(start, end) : []).ToJsonString(), "application/json")
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
        DateTimeOffset.TryParseExact(request.Query[name], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : null;

    /// <summary>Shifts are cut at both dates, as in Grafana OnCall.</summary>
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
        return new()
        {
            ["count"] = results.Count,
            ["next"] = null,
            ["previous"] = null,
            ["results"] = results,
            ["current_page_number"] = 1,
            ["page_size"] = 50,
            ["total_pages"] = 1,
        };
    }
}

/// <summary>
/// PagerDuty's REST API v2, as far as schedules need it: <c>GET /oncalls</c> of this moment and <c>GET /schedules/{id}</c>, for the key
/// <c>practice</c>.
/// </summary>
internal sealed class PagerDutyApi(SandboxOptions options) : SandboxApi("pagerduty")
{
    /// <summary>A schedule in two escalation policies is listed twice, as in PagerDuty.</summary>
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
        return new JsonObject
        {
            ["oncalls"] = new JsonArray([.. all.Skip(offset).Take(limit)]),
            ["limit"] = limit,
            ["offset"] = offset,
            ["more"] = offset + limit < all.Count,
            ["total"] = null,
        };
    }

    /// <summary>Without a time range PagerDuty renders no entries, so the answer does not say who is on call.</summary>
    private static JsonObject Schedule(string id, string name, IReadOnlyList<JsonObject> policies, IReadOnlyList<RotaPerson> people)
    {
        var schedule = Reference("schedules", id, "schedule", name);
        (schedule["name"], schedule["time_zone"], schedule["description"]) = (name, "UTC", null);
        schedule["users"] = new JsonArray([.. people.Select(person => Reference("users", person.PagerDutyId, "user_reference", person.Name))]);
        (schedule["escalation_policies"], schedule["teams"], schedule["schedule_layers"]) = (new JsonArray([.. policies]), new JsonArray(), new JsonArray());
        (schedule["overrides_subschedule"], schedule["final_schedule"]) = (Part("Overrides"), Part("Final Schedule"));
        return new JsonObject { ["schedule"] = schedule };

        static JsonObject Part(string name) => new()
        {
            ["name"] = name,
            ["rendered_schedule_entries"] = new JsonArray(),
            ["rendered_coverage_percentage"] = null,
        };
    }

    private static JsonObject Policy(string id) =>
        Reference("escalation_policies", id, "escalation_policy_reference", "Engineering Escalation Policy");

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
