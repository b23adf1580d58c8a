using System.Text.Json.Nodes;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Slack;

/// <summary>The buttons under a question. Each carries what it decides on; who pressed it, Slack says and signs.</summary>
internal static class SlackButtons
{
    public static IEnumerable<JsonNode> For(string incident, string gate, string plan)
    {
        var value = $"{incident}|{gate}|{plan}";
        yield return Button("approve", "Approve", value, "primary", "The steps run as shown.");
        yield return Button("reject", "Reject", value, "danger", "Nothing is done and the incident ends.");
        yield return Button("takeOver", "Take over", value, null, "The automation stops and you drive.");
    }

    public static JsonNode Link(CardLink link, int place) => new JsonObject
    {
        ["type"] = "button",
        ["action_id"] = $"open-{place}",
        ["text"] = Plain(link.Text),
        ["url"] = link.Url,
    };

    private static JsonObject Button(string action, string text, string value, string? style, string means)
    {
        var button = new JsonObject
        {
            ["type"] = "button",
            ["action_id"] = action,
            ["text"] = Plain(text),
            ["value"] = value,
            ["confirm"] = new JsonObject
            {
                ["title"] = Plain($"{text}?"),
                ["text"] = Plain(means),
                ["confirm"] = Plain(text),
                ["deny"] = Plain("Not yet"),
            },
        };
        if (style is not null)
        {
            button["style"] = style;
        }

        return button;
    }

    private static JsonObject Plain(string text) => new() { ["type"] = "plain_text", ["text"] = text, ["emoji"] = false };
}
