using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Notifications;
using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.OnCall;

/// <summary>Grafana OnCall's HTTP API: <c>final_shifts</c> of a schedule, which has overrides and swaps in it.</summary>
internal sealed class GrafanaOnCallSchedules(IHttpClientFactory clients, IOptions<GrafanaOnCallOptions> options) : IOnCallSource
{
    public const string Client = "grafana-oncall";

    /// <summary>More people at once than this are no shift.</summary>
    private const int MostUsers = 10;

    public string Kind => "grafanaOncall";

    public string IdWords => "the schedule's id, such as SBM7DV7BKFUYU";

    public string? ConfigurationError => string.IsNullOrEmpty(options.Value.Token) || string.IsNullOrEmpty(options.Value.Url)
        ? $"set {GrafanaOnCallOptions.SectionName}:Url and {GrafanaOnCallOptions.SectionName}:Token, as the settings of Grafana OnCall show them."
        : null;

    public string? ValidateId(string id) => ScheduleId.Validate(id);

    public string Describe(string id) => $"Grafana OnCall schedule {id}";

    public async Task<OnCallRoster> ReadAsync(OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        // It takes days, and cuts what goes beyond them. Most shifts end within a week.
        var first = new DateTimeOffset(from.UtcDateTime.Date, TimeSpan.Zero);
        var last = first.AddDays(8);
        var grafana = options.Value;
        (string, string)[] headers = [("Authorization", grafana.Token!), .. grafana.StackUrl is { Length: > 0 } stack ? [("X-Grafana-URL", stack)] : Array.Empty<(string, string)>()];
        var url = FormattableString.Invariant($"{grafana.Url!.TrimEnd('/')}/api/v1/schedules/{Uri.EscapeDataString(schedule.Id)}/final_shifts?start_date={first:yyyy-MM-dd}&end_date={last:yyyy-MM-dd}");
        var entries = new JsonArray();
        for (var page = 1; page <= OnCallHttp.MostPages; page++)
        {
            var answer = await clients.CreateClient(Client).ReadJsonAsync(FormattableString.Invariant($"{url}&page={page}"), "Grafana OnCall", cancellationToken, headers);
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
            .GroupBy(entry => Text(entry["user_pk"]), entry => new OnCallShift(PersonOf(entry), OnCallHttp.Time(entry["shift_start"]), EndOf(entry)))
            .Select(shifts => shifts.Where(shift => shift is { From: not null, Until: not null }).OrderBy(shift => shift.From).ToList())
            .ToLookup(shifts => shifts.Exists(shift => IsNow(shift, from)));
        List<OnCallShift> onCall = [.. people[true].Select(shifts => shifts.First(shift => IsNow(shift, from)) with { Until = EndOf(shifts, from, last) })];
        if (onCall.Count > MostUsers)
        {
            throw new OnCallException($"Grafana OnCall names {onCall.Count} people at once.");
        }

        // Somebody may change what comes later, so it is asked again when the next person begins.
        return new(onCall, people[false].SelectMany(shifts => shifts).Select(shift => shift.From).Where(begins => begins > from).Concat(onCall.Select(shift => shift.Until)).Min());
    }

    private static bool IsNow(OnCallShift shift, DateTimeOffset now) => shift.From <= now && now < shift.Until;

    /// <summary>A shift of whole days ends a second before midnight there, and begins at midnight.</summary>
    private static DateTimeOffset? EndOf(JsonObject entry) => OnCallHttp.Time(entry["shift_end"]) is { } end ? end.Second == 59 ? end.AddSeconds(1) : end : null;

    /// <summary>A shift may come in pieces, such as one for each day. Null where it goes beyond what was asked for.</summary>
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
        Url is { Length: > 0 } ? HttpsUrl.Problems($"{SectionName}:Url", Url, "https://oncall-prod-us-central-0.grafana.net/oncall") : [];
}
