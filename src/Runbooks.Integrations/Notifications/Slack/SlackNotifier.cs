using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Http;
using Runbooks.Model.Text;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Slack;

/// <summary>Posts with the app's bot token, so that the message can be changed when somebody has decided.</summary>
internal sealed class SlackNotifier(IHttpClientFactory clients, AddressSecrets secrets, IOptions<SlackOptions> options) : INotifier
{
    public const string Name = "slack";

    private static readonly string[] s_passing = ["ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];

    private static readonly string[] s_form = ["msg_blocks_too_long", "msg_too_long", "invalid_blocks", "invalid_blocks_format"];

    public string Channel => Name;

    public string? ConfigurationError => string.IsNullOrEmpty(options.Value.BotToken) ? "Slack has no token. Set Slack:BotToken."
        : options.Value.Buttons && string.IsNullOrEmpty(secrets.Find("Slack:SigningSecret")) ? "every press of a button would be refused. Set Slack:SigningSecret, or Slack:Buttons to false."
        : null;

    public string? ValidateAddress(string to) =>
        IsPlace(to) ? null : "write the id of a channel or user (C012AB3CD, U012AB3CD); names can be changed by anybody.";

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

    private static bool IsPlace(string to) => to.Length is >= 3 and <= 40 && to[0] is 'C' or 'D' or 'G' or 'U' or 'W' && to.All(char.IsAsciiLetterOrDigit);

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
        var answer = Parse(await clients.CreateClient(Name).PostAsync(url, content, "Slack", cancellationToken, ("Authorization", $"Bearer {options.Value.BotToken}")));
        if (answer?["ok"] is JsonValue ok && ok.TryGetValue<bool>(out var taken) && taken)
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

    public string? ValidateAddress(string to) => HttpsUrl.TryParse(to, out _) ? null : "an incoming webhook's URL begins with https://hooks.slack.com/.";

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
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
    [Required, Url]
    public string ApiUrl { get; set; } = "https://slack.com/api";
}
