using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Runbooks.Settings;

namespace Runbooks.Integrations.Notifications;

/// <summary>
/// The card as JSON to any system, signed: <c>X-Runbooks-Signature: v1=hex(HMAC-SHA256(secret, "v1:{timestamp}:{body}"))</c>
/// over the seconds in <c>X-Runbooks-Timestamp</c>, so that the receiver can refuse what is forged or old.
/// </summary>
internal sealed class WebhookNotifier(
    IHttpClientFactory clients, AddressSecrets secrets, IOptions<WebhookOptions> options, TimeProvider time) : INotifier
{
    public const string Name = "webhook";

    public string Channel => Name;

    public bool AddressIsSecret => true;

    public string? ConfigurationError =>
        SigningKey.Read(options.Value.SigningSecret) is null
            ? $"nothing signs it. Set Webhook:SigningSecret to base64 of at least {SigningKey.MinBytes} random bytes."
            : null;

    public string? ValidateAddress(string to) => HttpsUrl.TryParse(to, out _) ? null : "the URL has to begin with https://.";

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        await PostAsync(card, to.To, "sent", card.Key, cancellationToken);
        return $"{to.To}|{card.Key}";
    }

    public Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
    {
        var bar = reference.IndexOf('|', StringComparison.Ordinal);
        return PostAsync(card, reference[..bar], "updated", reference[(bar + 1)..], cancellationToken);
    }

    internal static JsonObject Body(Card card, string what, string? message) => new()
    {
        ["what"] = what,
        ["message"] = message,
        ["card"] = JsonSerializer.SerializeToNode(CardText.Fit(card) with { Key = null }, MessageJson.Options),
    };

    internal static string Sign(byte[] secret, string timestamp, byte[] body) =>
        $"v1={Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes($"v1:{timestamp}:").Concat(body).ToArray()))}";

    private async Task PostAsync(Card card, string to, string what, string? message, CancellationToken cancellationToken)
    {
        var secret = SigningKey.Read(options.Value.SigningSecret)
            ?? throw new DeliveryException("Nothing signs it: Webhook:SigningSecret is not set.");
        var body = Encoding.UTF8.GetBytes(Body(card, what, message).ToJsonString(MessageJson.Options));
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        await clients.CreateClient(Name).PostAsync(
            MessageHttp.Url(secrets.Resolve(to)), content, "The webhook", cancellationToken,
            ("X-Runbooks-Timestamp", timestamp), ("X-Runbooks-Signature", Sign(secret, timestamp, body)));
    }
}

public sealed class WebhookOptions
{
    public const string SectionName = "Webhook";

    /// <summary>
    /// Base64 of at least 32 random bytes; every post is signed with it. Without it, or with a shorter one, the channel cannot be used;
    /// one that is long enough and can be guessed stops the start.
    /// </summary>
    public string? SigningSecret { get; set; }
}

internal sealed class WebhookSecretStrength(IHostEnvironment? environment = null) : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options) =>
        options.SigningSecret is { } secret
            && SigningKey.Read(secret) is { } key
            && SecretStrength.FindWeakness(secret, key, environment) is { } weakness
            ? ValidateOptionsResult.Fail($"Webhook:SigningSecret can be guessed: {weakness}. {SigningKey.Remedy}")
            : ValidateOptionsResult.Success;
}
