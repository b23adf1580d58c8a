using System.Text.Json.Nodes;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.PagerDuty;

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
                ["summary"] = CardText.Clip(CardText.Summary(card), LongestSummary),
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
