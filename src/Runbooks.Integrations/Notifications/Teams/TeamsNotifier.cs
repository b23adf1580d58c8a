using System.Text.Json.Nodes;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Teams;

/// <summary>Posts to a channel or chat through a Workflows URL. A flow answers before it has posted, so there is nothing to change later, and whether it ever posts is not told.</summary>
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
