namespace Runbooks.Integrations.Notifications.Webhook;

public sealed class WebhookOptions
{
    public const string SectionName = "Webhook";

    /// <summary>Shortest signing secret that is accepted, in bytes: as long as the hash, RFC 2104 section 3.</summary>
    public const int MinSecretBytes = 32;

    /// <summary>Base64 of at least 32 random bytes; every post is signed with it. Without it the channel cannot be used.</summary>
    public string? SigningSecret { get; set; }
}
