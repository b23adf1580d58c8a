using Runbooks.Integrations.Notifications;
using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.OnCall;

internal static class OnCallHttp
{
    /// <summary>The most pages of one answer: a longer schedule is none that a person keeps.</summary>
    public const int MostPages = 10;

    public static OnCallException TooLong(string service) =>
        new($"{service} has more than {MostPages} pages of it, so who is on call is not known.");

    public static async Task<JsonObject> ReadJsonAsync(
        this HttpClient client,
        string url,
        string service,
        CancellationToken cancellationToken,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                throw new OnCallException(MessageOf((int)answer.StatusCode, service));
            }

            return JsonAnswer.Parse(await answer.Content.ReadAsStringAsync(cancellationToken)) as JsonObject
                ?? throw new OnCallException($"{service} answered no JSON.");
        }
        catch (Exception failed) when (HttpFailure.InWords(service, failed) is { } words)
        {
            throw new OnCallException(words, failed);
        }
    }

    public static DateTimeOffset? Time(JsonNode? value) =>
        DateTimeOffset.TryParse(JsonAnswer.Text(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;

    private static string MessageOf(int status, string service) => status switch
    {
        401 or 403 => $"{service} answered {status}: the token is not good, or may not read schedules.",
        404 => $"{service} answered 404: it has no such schedule.",
        429 => $"{service} answered 429: too many requests.",
        _ => $"{service} answered {status}.",
    };
}

internal static class ScheduleId
{
    public static string? Validate(string id) =>
        id.Length <= 64 && id.All(char.IsAsciiLetterOrDigit) ? null : "an id has letters and digits only.";
}

/// <summary>
/// PagerDuty's REST API v2: <c>GET /oncalls</c>, which without a time range is about this moment. It has one entry for each escalation
/// policy that the schedule is in, so one person may be in several, and none for a schedule that is in no policy.
/// </summary>
internal sealed class PagerDutySchedules(IHttpClientFactory clients, IOptions<PagerDutyOptions> options) : IOnCallSource
{
    public const string Client = "pagerduty-rest";
    private const int Most = 100;

    public string Kind => "pagerduty";

    public string IdFormat => "the schedule's id, such as PI7DH85";

    public string? ConfigurationError =>
        string.IsNullOrEmpty(options.Value.ApiToken)
            ? $"set {PagerDutyOptions.SectionName}:ApiToken, a read-only REST API key of PagerDuty."
            : null;

    public string? ValidateId(string id) => ScheduleId.Validate(id);

    public string Describe(string id) => $"PagerDuty schedule {id}";

    public async Task<OnCallRoster> ReadAsync(
        OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var id = Uri.EscapeDataString(schedule.Id);
        var entries = (await EntriesAsync(id, cancellationToken)).Where(entry => Text(entry["schedule"]?["id"]) == schedule.Id);
        var shifts = entries
            .GroupBy(entry => Text(entry["user"]?["id"]))
            .Select(user => ShiftOf(user.First()))
            .ToList();

        // The answer says nothing about a schedule that PagerDuty does not have, nor about one that no escalation policy uses.
        if (shifts.Count == 0
            && (await GetAsync($"schedules/{id}", cancellationToken))["schedule"]?["escalation_policies"] is JsonArray { Count: 0 })
        {
            throw new OnCallException("no escalation policy uses it, and of such a schedule PagerDuty does not say who is on call.");
        }

        // What comes after the end of a shift was not asked for.
        return new(shifts, shifts.Min(shift => shift.Until));
    }

    private async Task<List<JsonObject>> EntriesAsync(string id, CancellationToken cancellationToken)
    {
        var entries = new List<JsonObject>();
        for (var page = 0; page < OnCallHttp.MostPages; page++)
        {
            var answer = await GetAsync(
                $"oncalls?schedule_ids[]={id}&earliest=true&include[]=users&limit={Most}&offset={page * Most}", cancellationToken);
            entries.AddRange(
                (answer["oncalls"] as JsonArray ?? throw new OnCallException("PagerDuty's answer has no 'oncalls'.")).OfType<JsonObject>());
            if (JsonAnswer.Flag(answer["more"]) != true)
            {
                return entries;
            }
        }

        throw OnCallHttp.TooLong("PagerDuty");
    }

    private Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken) =>
        clients.CreateClient(Client).ReadJsonAsync($"{options.Value.ApiUrl.TrimEnd('/')}/{path}", "PagerDuty", cancellationToken,
            ("Authorization", $"Token token={options.Value.ApiToken}"), ("Accept", "application/vnd.pagerduty+json;version=2"));

    private static OnCallShift ShiftOf(JsonObject entry) =>
        new(PersonOf(entry["user"]), OnCallHttp.Time(entry["start"]), OnCallHttp.Time(entry["end"]));

    private static OnCallPerson PersonOf(JsonNode? user)
    {
        var (mail, id) = (Text(user?["email"]), Text(user?["id"]));
        return new(Text(user?["name"]) ?? Text(user?["summary"]) ?? id ?? "somebody", [.. new[] { mail, id }.OfType<string>()], mail);
    }
}

/// <summary>Grafana OnCall's HTTP API: <c>final_shifts</c> of a schedule, which has overrides and swaps in it.</summary>
internal sealed class GrafanaOnCallSchedules(IHttpClientFactory clients, IOptions<GrafanaOnCallOptions> options) : IOnCallSource
{
    public const string Client = "grafana-oncall";

    /// <summary>More people at once than this are not a shift.</summary>
    private const int MostUsers = 10;

    public string Kind => "grafanaOncall";

    public string IdFormat => "the schedule's id, such as SBM7DV7BKFUYU";

    public string? ConfigurationError => string.IsNullOrEmpty(options.Value.Token) || string.IsNullOrEmpty(options.Value.Url)
        ? $"set {GrafanaOnCallOptions.SectionName}:Url and {GrafanaOnCallOptions.SectionName}:Token, "
            + "as the settings of Grafana OnCall show them."
        : null;

    public string? ValidateId(string id) => ScheduleId.Validate(id);

    public string Describe(string id) => $"Grafana OnCall schedule {id}";

    public async Task<OnCallRoster> ReadAsync(
        OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        // The API takes days, and cuts what goes beyond them. Most shifts end within a week.
        var first = new DateTimeOffset(from.UtcDateTime.Date, TimeSpan.Zero);
        var last = first.AddDays(8);
        var grafana = options.Value;
        (string, string)[] headers =
        [
            ("Authorization", grafana.Token!),
            .. grafana.StackUrl is { Length: > 0 } stack ? [("X-Grafana-URL", stack)] : Array.Empty<(string, string)>(),
        ];
        var url = $"{grafana.Url!.TrimEnd('/')}/api/v1/schedules/{Uri.EscapeDataString(schedule.Id)}/final_shifts"
            + $"?start_date={first:yyyy-MM-dd}&end_date={last:yyyy-MM-dd}";
        var entries = new JsonArray();
        for (var page = 1; page <= OnCallHttp.MostPages; page++)
        {
            var answer = await clients.CreateClient(Client).ReadJsonAsync(
                $"{url}&page={page}", "Grafana OnCall", cancellationToken, headers);
            foreach (var entry in answer["results"] as JsonArray ?? throw new OnCallException("Grafana OnCall's answer has no 'results'."))
            {
                entries.Add(entry?.DeepClone());
            }

            if (answer["next"] is null)
            {
                return RosterOf(entries, from, last);
            }
        }

        throw OnCallHttp.TooLong("Grafana OnCall");
    }

    internal static OnCallRoster RosterOf(JsonArray entries, DateTimeOffset from, DateTimeOffset last)
    {
        var people = entries.OfType<JsonObject>()
            .GroupBy(
                entry => Text(entry["user_pk"]),
                entry => new OnCallShift(PersonOf(entry), OnCallHttp.Time(entry["shift_start"]), EndOf(entry)))
            .Select(shifts => shifts.Where(shift => shift is { From: not null, Until: not null }).OrderBy(shift => shift.From).ToList())
            .ToLookup(shifts => shifts.Exists(shift => IsNow(shift, from)));
        List<OnCallShift> onCall =
        [
            .. people[true].Select(shifts => shifts.First(shift => IsNow(shift, from)) with { Until = EndOf(shifts, from, last) }),
        ];
        if (onCall.Count > MostUsers)
        {
            throw new OnCallException($"Grafana OnCall names {onCall.Count} people at once.");
        }

        // Somebody may change the later shifts, so the schedule is asked again when the next person begins.
        return new(onCall, people[false]
            .SelectMany(shifts => shifts)
            .Select(shift => shift.From)
            .Where(begins => begins > from)
            .Concat(onCall.Select(shift => shift.Until))
            .Min());
    }

    private static bool IsNow(OnCallShift shift, DateTimeOffset now) => shift.From <= now && now < shift.Until;

    /// <summary>There a shift of whole days ends a second before midnight, and begins at midnight.</summary>
    private static DateTimeOffset? EndOf(JsonObject entry) =>
        OnCallHttp.Time(entry["shift_end"]) is { } end ? end.Second == 59 ? end.AddSeconds(1) : end : null;

    /// <summary>A shift may come in pieces, such as one for each day. Null where it goes beyond the time that was asked for.</summary>
    private static DateTimeOffset? EndOf(List<OnCallShift> shifts, DateTimeOffset from, DateTimeOffset last)
    {
        var end = shifts.Aggregate(from, (end, shift) => shift.From <= end && shift.Until > end ? shift.Until.Value : end);
        return end < last ? end : null;
    }

    private static OnCallPerson PersonOf(JsonObject shift)
    {
        var (mail, id, name) = (Text(shift["user_email"]), Text(shift["user_pk"]), Text(shift["user_username"]));
        return new(name ?? mail ?? id ?? "somebody", [.. new[] { mail, id, name }.OfType<string>().Where(key => key.Length > 0)], mail);
    }
}

/// <summary>Section <c>GrafanaOnCall</c>.</summary>
public sealed class GrafanaOnCallOptions : IValidatableObject
{
    public const string SectionName = "GrafanaOnCall";

    /// <summary>Where its API is, as its settings show it, without <c>/api/v1</c>: <c>https://oncall-prod-us-central-0.grafana.net/oncall</c>.</summary>
    public string? Url { get; set; }

    /// <summary>An API key of OnCall, or a service account's token.</summary>
    [Secret]
    public string? Token { get; set; }

    /// <summary>With a service account's token: the Grafana that it belongs to, <c>https://example.grafana.net</c>.</summary>
    public string? StackUrl { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Url is { Length: > 0 }
            ? HttpsUrl.Problems($"{SectionName}:Url", Url, "https://oncall-prod-us-central-0.grafana.net/oncall", added: "/api/v1")
            : [];
}
