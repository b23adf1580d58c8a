using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Integrations.Http;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.PagerDuty;

/// <summary>Triggers, acknowledges and resolves by the incident's id.</summary>
internal sealed class PagerDutyNotifier(IHttpClientFactory clients, AddressSecrets secrets, IOptions<PagerDutyOptions> options) : INotifier
{
    public const string Name = "pagerduty";

    public string Channel => Name;

    public bool AddressIsSecret => true;

    public string? ValidateAddress(string to) => to.Length == 32 && to.All(char.IsAsciiLetterOrDigit) ? null : "an integration key has 32 letters and digits.";

    /// <returns>The name of the setting with the key: the events of one incident find each other by its id.</returns>
    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        await PostAsync(card, to.To, cancellationToken);
        return to.To;
    }

    /// <summary>A decision acknowledges, the end resolves; an end that needs a person leaves it ringing.</summary>
    public Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken) =>
        card.Kind is CardKind.Decided or CardKind.Closed ? PostAsync(card, reference, cancellationToken) : Task.CompletedTask;

    private async Task PostAsync(Card card, string to, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(PagerDutyEvent.Render(card, secrets.Resolve(to)));
        var url = MessageHttp.Url($"{options.Value.EventsUrl.TrimEnd('/')}/v2/enqueue");
        await clients.CreateClient(Name).PostAsync(url, content, "PagerDuty", cancellationToken);
    }
}

/// <summary>A card as an event of the Events API v2. All events of one incident have one key, so they are one incident there as well.</summary>
internal static class PagerDutyEvent
{
    private const int LongestSummary = 1_024;

    public static string ActionFor(CardKind kind) => kind switch
    {
        CardKind.Decided => "acknowledge",
        CardKind.Closed => "resolve",
        _ => "trigger",
    };

    public static JsonObject Render(Card card, string routingKey)
    {
        var action = ActionFor(card.Kind);
        var body = new JsonObject { ["routing_key"] = routingKey, ["event_action"] = action, ["dedup_key"] = card.IncidentId };
        if (action == "trigger")
        {
            body["payload"] = new JsonObject
            {
                ["summary"] = Clip.To(CardText.Summary(card), LongestSummary),
                ["source"] = "runbooks",
                ["severity"] = Severity(card),
                ["custom_details"] = Details(card),
            };
            body["links"] = MessageJson.Array(card.Links.Select(link => new JsonObject { ["href"] = link.Url, ["text"] = link.Text }));
        }

        return body;
    }

    private static JsonObject Details(Card card)
    {
        var details = new JsonObject();
        foreach (var section in CardText.Sections(card))
        {
            details[section.Heading] = string.Join('\n', section.Lines);
        }

        return details;
    }

    private static string Severity(Card card) => card.Severity switch
    {
        _ when card.DryRun => "info",
        ImpactSeverity.Critical => "critical",
        ImpactSeverity.High => "error",
        ImpactSeverity.Medium => "warning",
        _ => "info",
    };
}

public sealed class PagerDutyOptions
{
    public const string SectionName = "PagerDuty";

    /// <summary>An integration key that contacts may refer to as <c>${PagerDuty:RoutingKey}</c>; a secret.</summary>
    public string? RoutingKey { get; set; }

    /// <summary>Where events go.</summary>
    [Required, Url]
    public string EventsUrl { get; set; } = "https://events.pagerduty.com";

    /// <summary>A REST API key, read-only, for contacts that are schedules of PagerDuty.</summary>
    [Secret]
    public string? ApiToken { get; set; }

    /// <summary>Where schedules are asked; <c>https://api.eu.pagerduty.com</c> for accounts in the EU.</summary>
    [Required, Url]
    public string ApiUrl { get; set; } = "https://api.pagerduty.com";
}
