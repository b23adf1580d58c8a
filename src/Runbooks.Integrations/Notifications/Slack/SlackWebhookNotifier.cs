using System.Text.Json.Nodes;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Slack;

/// <summary>An incoming webhook: needs no bot, cannot change what it sent, and so shows links and no buttons.</summary>
internal sealed class SlackWebhookNotifier(IHttpClientFactory clients, AddressSecrets secrets) : INotifier
{
    public string Channel => "slackWebhook";

    public bool AddressIsSecret => true;

    public string? Objection(string to) => MessageHttp.TryUrl(to, out _) ? null : "an incoming webhook's URL begins with https://hooks.slack.com/.";

    public async Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        using var content = MessageJson.Content(Message(card));
        await clients.CreateClient(SlackNotifier.Name).PostAsync(MessageHttp.Url(secrets.Resolve(to.To)), content, "Slack", cancellationToken);
        return null;
    }

    internal static JsonObject Message(Card card) => new()
    {
        ["text"] = SlackBlocks.Escape(CardText.Summary(card)),
        ["blocks"] = SlackBlocks.Render(card, buttons: false),
    };
}
