using Runbooks.Model.Definition;

namespace Runbooks.Integrations.Notifications;

/// <summary>
/// Posts to a channel or chat through a Workflows URL. A flow answers before it has posted, so there is nothing to change later, and
/// it is not known whether it ever posts.
/// </summary>
internal sealed class TeamsNotifier(IHttpClientFactory clients, AddressSecrets secrets) : INotifier
{
    public const string Name = "teams";

    public string Channel => Name;

    public bool AddressIsSecret => true;

    public bool OnlyHandsOver => true;

    public string? ValidateAddress(string to) => HttpsUrl.TryParse(to, out _) ? null : "a Workflows URL begins with https://.";

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(Message(card));
        await clients.CreateClient(Name).PostAsync(MessageHttp.Url(secrets.Resolve(to.To)), content, "Teams", cancellationToken);
        return new(null, IsHandedOver: true);
    }

    internal static JsonObject Message(Card card) => new()
    {
        ["type"] = "message",
        ["attachments"] = new JsonArray(new JsonObject
        {
            ["contentType"] = "application/vnd.microsoft.card.adaptive",
            ["contentUrl"] = null,
            ["content"] = AdaptiveCard.Render(card),
        }),
    };
}

public sealed class TeamsOptions
{
    public const string SectionName = "Teams";

    /// <summary>A Workflows URL that contacts may refer to as <c>${Teams:WorkflowUrl}</c>; it carries a signature, so it is a secret.</summary>
    public string? WorkflowUrl { get; set; }
}

/// <summary>
/// A card as an Adaptive Card 1.4, with only the keys of the published schema. Text from outside is in text runs: unlike text blocks
/// they have no Markdown, so nobody can smuggle in a link.
/// </summary>
internal static class AdaptiveCard
{
    public static JsonObject Render(Card card) => new()
    {
        ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
        ["type"] = "AdaptiveCard",
        ["version"] = "1.4",
        ["fallbackText"] = CardText.Summary(card),
        ["body"] = MessageJson.Array(Body(card)),
        ["actions"] = MessageJson.Array(card.Links.Select(Action)),
    };

    private static IEnumerable<JsonNode> Body(Card card) =>
    [
        .. card.DryRun ? [Container("emphasis", [Text(CardText.DryRun, bold: true)])] : Array.Empty<JsonNode>(),
        Container(Style(card), [Text(CardText.Title(card), bold: true, size: "Large")]),
        .. CardText.Sections(card).Select(
            section => Container("default", [Text(section.Heading, bold: true), .. section.Lines.Select(line => Text(line, close: true))])),
    ];

    private static JsonObject Container(string style, IEnumerable<JsonNode> items) => new()
    {
        ["type"] = "Container",
        ["style"] = style,
        ["items"] = MessageJson.Array(items),
    };

    private static JsonObject Text(string text, bool bold = false, string size = "Default", bool close = false) => new()
    {
        ["type"] = "RichTextBlock",
        ["spacing"] = close ? "None" : "Default",
        ["inlines"] = new JsonArray(new JsonObject
        {
            ["type"] = "TextRun",
            ["text"] = text,
            ["weight"] = bold ? "Bolder" : "Default",
            ["size"] = size,
        }),
    };

    private static JsonObject Action(CardLink link, int place) => new()
    {
        ["type"] = "Action.OpenUrl",
        ["title"] = link.Text,
        ["url"] = link.Url,
        ["style"] = place == 0 ? "positive" : "default",
    };

    private static string Style(Card card) => card.Kind switch
    {
        CardKind.Closed => "good",
        CardKind.Decided => "accent",
        CardKind.Page => "attention",
        _ => card.Severity >= ImpactSeverity.High ? "attention" : "warning",
    };
}
