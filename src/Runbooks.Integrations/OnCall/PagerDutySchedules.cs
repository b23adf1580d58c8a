using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Notifications.PagerDuty;
using Runbooks.Notifications;
using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.OnCall;

/// <summary>
/// PagerDuty's REST API v2: <c>GET /oncalls</c>, which without a time range tells of this moment. One entry for each escalation
/// policy that the schedule is in, so that one person may be in several; none for a schedule that is in no policy.
/// </summary>
internal sealed class PagerDutySchedules(IHttpClientFactory clients, IOptions<PagerDutyOptions> options) : IOnCallSource
{
    public const string Client = "pagerduty-rest";
    private const int Most = 100;

    public string Kind => "pagerduty";

    public string IdWords => "the schedule's id, such as PI7DH85";

    public string? ConfigurationError => string.IsNullOrEmpty(options.Value.ApiToken) ? $"set {PagerDutyOptions.SectionName}:ApiToken, a read-only REST API key of PagerDuty." : null;

    public string? ValidateId(string id) => ScheduleId.Validate(id);

    public string Describe(string id) => $"PagerDuty schedule {id}";

    public async Task<OnCallRoster> ReadAsync(OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var id = Uri.EscapeDataString(schedule.Id);
        List<OnCallShift> shifts = [.. (await EntriesAsync(id, cancellationToken))
            .Where(entry => Text(entry["schedule"]?["id"]) == schedule.Id)
            .GroupBy(entry => Text(entry["user"]?["id"]), entry => entry)
            .Select(user => new OnCallShift(PersonOf(user.First()["user"]), OnCallHttp.Time(user.First()["start"]), OnCallHttp.Time(user.First()["end"])))];

        // It says nothing of schedules that it does not have, and nothing of those that no escalation policy uses.
        if (shifts.Count == 0 && (await GetAsync($"schedules/{id}", cancellationToken))["schedule"]?["escalation_policies"] is JsonArray { Count: 0 })
        {
            throw new OnCallException("no escalation policy uses it, and of such a schedule PagerDuty does not say who is on call.");
        }

        // What comes after the end of a shift was not asked for.
        return new(shifts, shifts.Min(shift => shift.Until));
    }

    /// <summary>One for each level of each escalation policy that uses the schedule, over all pages.</summary>
    private async Task<List<JsonObject>> EntriesAsync(string id, CancellationToken cancellationToken)
    {
        var entries = new List<JsonObject>();
        for (var page = 0; page < OnCallHttp.MostPages; page++)
        {
            var answer = await GetAsync($"oncalls?schedule_ids[]={id}&earliest=true&include[]=users&limit={Most}&offset={page * Most}", cancellationToken);
            entries.AddRange((answer["oncalls"] as JsonArray ?? throw new OnCallException("PagerDuty's answer has no 'oncalls'.")).OfType<JsonObject>());
            if (answer["more"] is not JsonValue more || !more.TryGetValue<bool>(out var goesOn) || !goesOn)
            {
                return entries;
            }
        }

        throw OnCallHttp.TooLong("PagerDuty");
    }

    private Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken) =>
        clients.CreateClient(Client).ReadJsonAsync($"{options.Value.ApiUrl.TrimEnd('/')}/{path}", "PagerDuty", cancellationToken,
            ("Authorization", $"Token token={options.Value.ApiToken}"), ("Accept", "application/vnd.pagerduty+json;version=2"));

    private static OnCallPerson PersonOf(JsonNode? user)
    {
        var (mail, id) = (Text(user?["email"]), Text(user?["id"]));
        return new(Text(user?["name"]) ?? Text(user?["summary"]) ?? id ?? "somebody", [.. new[] { mail, id }.OfType<string>()], mail);
    }
}
