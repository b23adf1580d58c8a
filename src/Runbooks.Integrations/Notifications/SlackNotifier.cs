namespace Runbooks.Integrations.Notifications;

internal sealed class SlackNotifier(IHttpClientFactory clients, AddressSecrets secrets, IOptions<SlackOptions> options) : INotifier
{
    public const string Name = "slack";

    /// <summary>Errors of the moment, and those while a workspace moves.</summary>
    /// <seealso href="https://docs.slack.dev/reference/methods/chat.postMessage"/>
    private static readonly string[] s_passing =
    [
        "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "update_failed",
        "external_channel_migrating", "team_added_to_org", "org_login_required",
    ];

    private static readonly string[] s_form = ["msg_blocks_too_long", "msg_too_long", "invalid_blocks", "invalid_blocks_format"];

    public string Channel => Name;

    public string? ConfigurationError
    {
        get
        {
            if (string.IsNullOrEmpty(options.Value.BotToken))
            {
                return "Slack has no token. Set Slack:BotToken.";
            }

            return options.Value.Buttons && string.IsNullOrEmpty(secrets.Find("Slack:SigningSecret"))
                ? "every press of a button would be refused. Set Slack:SigningSecret, or Slack:Buttons to false."
                : null;
        }
    }

    public string? ValidateAddress(string to) =>
        Identity.IsSlackId(to, "CDGUW")
            ? null
            : "write the id of a channel or user (C012AB3CD, U012AB3CD); names can be changed by anybody.";

    public bool IsRoom(string to) => Identity.IsSlackId(to, "CG");

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var answer = await CallAsync("chat.postMessage", Message(card, secrets.Resolve(to.To)), cancellationToken);
        return answer["channel"] is { } channel && answer["ts"] is { } at ? $"{channel}/{at}" : null;
    }

    public async Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
    {
        var parts = reference.Split('/');
        var message = Message(card, parts[0]);
        message["ts"] = parts[^1];
        await CallAsync("chat.update", message, cancellationToken);
    }

    private JsonObject Message(Card card, string channel) => new()
    {
        ["channel"] = channel,
        ["text"] = SlackBlocks.Escape(CardText.Summary(card)),
        ["blocks"] = SlackBlocks.Render(card, options.Value.Buttons),
        ["unfurl_links"] = false,
        ["unfurl_media"] = false,
    };

    private async Task<JsonNode> CallAsync(string method, JsonObject body, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(body);
        var url = MessageHttp.Url($"{options.Value.ApiUrl.TrimEnd('/')}/{method}");
        var text = await clients.CreateClient(Name).PostAsync(
            url, content, "Slack", cancellationToken, ("Authorization", $"Bearer {options.Value.BotToken}"));
        var answer = Parse(text);
        if (answer is not null && JsonAnswer.Flag(answer["ok"]) == true)
        {
            return answer;
        }

        var error = Clip.To(answer?["error"]?.ToString() ?? "no answer that can be read", 80);
        throw new DeliveryException($"Slack refused: {error}.", s_passing.Contains(error)) { IsForm = s_form.Contains(error) };
    }

    private static JsonObject? Parse(string text) => JsonAnswer.Parse(text) as JsonObject;
}

/// <summary>An incoming webhook: needs no bot, cannot change what it sent, and so shows links and no buttons.</summary>
internal sealed class SlackWebhookNotifier(IHttpClientFactory clients, AddressSecrets secrets) : INotifier
{
    public string Channel => "slackWebhook";

    public bool AddressIsSecret => true;

    public string? ValidateAddress(string to) =>
        HttpsUrl.TryParse(to, out _) ? null : "an incoming webhook's URL begins with https://hooks.slack.com/.";

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(Message(card));
        await clients.CreateClient(SlackNotifier.Name).PostAsync(
            MessageHttp.Url(secrets.Resolve(to.To)), content, "Slack", cancellationToken);
        return null;
    }

    internal static JsonObject Message(Card card) => new()
    {
        ["text"] = SlackBlocks.Escape(CardText.Summary(card)),
        ["blocks"] = SlackBlocks.Render(card, buttons: false),
    };
}

public sealed class SlackOptions
{
    public const string SectionName = "Slack";

    /// <summary>The app's bot token, <c>xoxb-…</c>, with the scope chat:write. Without it the channel cannot be used.</summary>
    public string? BotToken { get; set; }

    /// <summary>A channel id that contacts may refer to as <c>${Slack:Channel}</c>.</summary>
    public string? Channel { get; set; }

    /// <summary>Whether messages carry buttons that decide; needs the signing secret and the address of the interactions in Slack.</summary>
    public bool Buttons { get; set; } = true;

    /// <summary>Slack's API.</summary>
    [Required, Url(ErrorMessage = "It has to be a whole address that begins with https://.")]
    public string ApiUrl { get; set; } = "https://slack.com/api";
}

/// <summary>A card in Block Kit. Text from outside is plain text: it mentions nobody, links nowhere and has no formats.</summary>
internal static class SlackBlocks
{
    private const int LongestHeader = 150;
    private const int LongestSection = 3_000;

    public static JsonArray Render(Card card, bool buttons)
    {
        var shown = CardText.Fit(card);
        return MessageJson.Array([.. Content(shown), .. Actions(shown, buttons)]);
    }

    /// <summary>Escapes Slack's three special characters, so that the text cannot form a mention or a link.</summary>
    public static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);

    private static IEnumerable<JsonNode> Content(Card card) =>
    [
        .. card.DryRun ? [Section($"*{CardText.DryRun}*")] : Array.Empty<JsonNode>(),
        new JsonObject { ["type"] = "header", ["text"] = Plain(CardText.Title(card, LongestHeader)) },
        .. card.Sections.SelectMany(section => Texts(section.Lines)
            .Select(text => new JsonObject { ["type"] = "section", ["text"] = Plain(text) })
            .Prepend(Section($"*{Escape(section.Heading)}*"))),
    ];

    private static IEnumerable<JsonNode> Actions(Card card, bool buttons) =>
    [
        .. buttons && card is { GateId: { } gate, PlanHash: { } plan }
            ? [Buttons("decision", SlackButtons.For(card, gate, plan))]
            : Array.Empty<JsonNode>(),
        .. card.Links.Count > 0 ? [Buttons("links", card.Links.Select(SlackButtons.Link))] : Array.Empty<JsonNode>(),
    ];

    private static JsonObject Buttons(string block, IEnumerable<JsonNode> buttons) =>
        new() { ["type"] = "actions", ["block_id"] = block, ["elements"] = MessageJson.Array(buttons) };

    /// <summary>A block takes only so much: longer text goes on in the next.</summary>
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

/// <summary>The buttons under a question. Each carries what it decides on; Slack says and signs who pressed it.</summary>
internal static class SlackButtons
{
    public static IEnumerable<JsonNode> For(Card card, string gate, string plan)
    {
        var value = $"{card.IncidentId}|{gate}|{plan}";
        yield return Button("approve", "Approve", value, "primary", card.Yes ?? "The steps run as shown.");
        yield return Button("reject", "Reject", value, "danger", card.No ?? "The incident ends.");
        yield return Button(
            "takeOver", "Take over", value, null, "The automation stops, and nothing is undone. You own the incident until you close it.");
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
