using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Notifications;
using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.OnCall;

/// <summary>Grafana OnCall's HTTP API: the schedule says who is on call now, and each user's entry who that is. It does not say until when.</summary>
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
        var answer = await GetAsync($"schedules/{Uri.EscapeDataString(schedule.Id)}/", cancellationToken);
        if (answer["on_call_now"] is not JsonArray now)
        {
            throw new OnCallException("Grafana OnCall's answer has no 'on_call_now'.");
        }

        var ids = now.Select(Text).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (ids.Count > MostUsers)
        {
            throw new OnCallException($"Grafana OnCall names {ids.Count} people at once.");
        }

        var users = await Task.WhenAll(ids.Select(id => GetAsync($"users/{Uri.EscapeDataString(id)}/", cancellationToken)));
        return new([.. ids.Zip(users, (id, user) => new OnCallShift(PersonOf(id, user), null, null))]);
    }

    private Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken)
    {
        var grafana = options.Value;
        (string, string)[] headers = [("Authorization", grafana.Token!), .. grafana.StackUrl is { Length: > 0 } stack ? [("X-Grafana-URL", stack)] : Array.Empty<(string, string)>()];
        return clients.CreateClient(Client).ReadJsonAsync($"{grafana.Url!.TrimEnd('/')}/api/v1/{path}", "Grafana OnCall", cancellationToken, headers);
    }

    private static OnCallPerson PersonOf(string id, JsonObject user)
    {
        var (mail, name) = (Text(user["email"]), Text(user["username"]));
        return new(name ?? mail ?? id, [.. new[] { mail, id, name }.OfType<string>().Where(key => key.Length > 0)], mail);
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

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Url is { Length: > 0 } && (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || (url.Scheme != "https" && url is not { Scheme: "http", IsLoopback: true })))
        {
            yield return new ValidationResult($"{SectionName}:Url must be an https URL such as https://oncall-prod-us-central-0.grafana.net/oncall.");
        }
    }
}
