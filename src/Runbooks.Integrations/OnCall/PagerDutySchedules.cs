using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Notifications.PagerDuty;
using Runbooks.Notifications;
using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.OnCall;

/// <summary>
/// PagerDuty's REST API v2: <c>GET /oncalls</c>, which without a time range tells of this moment. One entry for each escalation
/// policy that the schedule is in, so that one person may be in several.
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
        var url = $"{options.Value.ApiUrl.TrimEnd('/')}/oncalls?schedule_ids[]={Uri.EscapeDataString(schedule.Id)}&earliest=true&include[]=users&limit={Most}";
        var answer = await clients.CreateClient(Client).ReadJsonAsync(url, "PagerDuty", cancellationToken,
            ("Authorization", $"Token token={options.Value.ApiToken}"), ("Accept", "application/vnd.pagerduty+json;version=2"));
        if (answer["oncalls"] is not JsonArray entries)
        {
            throw new OnCallException("PagerDuty's answer has no 'oncalls'.");
        }

        List<OnCallShift> shifts = [.. entries.OfType<JsonObject>()
            .Where(entry => Text(entry["schedule"]?["id"]) == schedule.Id)
            .GroupBy(entry => Text(entry["user"]?["id"]), entry => entry)
            .Select(user => new OnCallShift(PersonOf(user.First()["user"]), OnCallHttp.Time(user.First()["start"]), OnCallHttp.Time(user.First()["end"])))];

        // What comes after the end of a shift was not asked for.
        return new(shifts, shifts.Min(shift => shift.Until));
    }

    private static OnCallPerson PersonOf(JsonNode? user)
    {
        var (mail, id) = (Text(user?["email"]), Text(user?["id"]));
        return new(Text(user?["name"]) ?? Text(user?["summary"]) ?? id ?? "somebody", [.. new[] { mail, id }.OfType<string>()], mail);
    }
}
