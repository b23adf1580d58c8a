using System.Text.Json.Nodes;
using Runbooks.Model.Text;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Slack;

/// <summary>A card in Block Kit. Text from outside is plain text: it mentions nobody, links nowhere and has no formats.</summary>
internal static class SlackBlocks
{
    private const int LongestHeader = 150;
    private const int LongestSection = 3_000;

    public static JsonArray Render(Card card, bool buttons) => MessageJson.Array([.. Content(card), .. Actions(card, buttons)]);

    /// <summary>Slack's three characters of meaning; what is left cannot form a mention or a link.</summary>
    public static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);

    private static IEnumerable<JsonNode> Content(Card card)
    {
        if (card.DryRun)
        {
            yield return Section($"*{CardText.DryRun}*");
        }

        yield return new JsonObject { ["type"] = "header", ["text"] = Plain(CardText.Title(card, LongestHeader)) };
        foreach (var section in CardText.Sections(card))
        {
            yield return Section($"*{Escape(section.Heading)}*");
            foreach (var text in Texts(section.Lines))
            {
                yield return new JsonObject { ["type"] = "section", ["text"] = Plain(text) };
            }
        }
    }

    private static IEnumerable<JsonNode> Actions(Card card, bool buttons)
    {
        if (buttons && card is { GateId: { } gate, PlanHash: { } plan })
        {
            yield return new JsonObject
            {
                ["type"] = "actions",
                ["block_id"] = "decision",
                ["elements"] = MessageJson.Array(SlackButtons.For(card, gate, plan)),
            };
        }

        if (card.Links.Count > 0)
        {
            yield return new JsonObject { ["type"] = "actions", ["block_id"] = "links", ["elements"] = MessageJson.Array(card.Links.Select(SlackButtons.Link)) };
        }
    }

    /// <summary>A block holds only so much: what is longer goes on in the next.</summary>
    private static List<string> Texts(IReadOnlyList<string> lines)
    {
        var texts = new List<string>();
        foreach (var line in lines)
        {
            if (texts.Count > 0 && texts[^1].Length + 1 + line.Length <= LongestSection)
            {
                texts[^1] += $"\n{line}";
            }
            else
            {
                texts.Add(line);
            }
        }

        return texts;
    }

    private static JsonObject Section(string text) => new()
    {
        ["type"] = "section",
        ["text"] = new JsonObject { ["type"] = "mrkdwn", ["text"] = Clip.To(text, LongestSection), ["verbatim"] = true },
    };

    private static JsonObject Plain(string text) => new() { ["type"] = "plain_text", ["text"] = text, ["emoji"] = false };
}

/// <summary>The buttons under a question. Each carries what it decides on; who pressed it, Slack says and signs.</summary>
internal static class SlackButtons
{
    public static IEnumerable<JsonNode> For(Card card, string gate, string plan)
    {
        var value = $"{card.IncidentId}|{gate}|{plan}";
        yield return Button("approve", "Approve", value, "primary", card.Yes ?? "The steps run as shown.");
        yield return Button("reject", "Reject", value, "danger", card.No ?? "The incident ends.");
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
