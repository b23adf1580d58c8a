using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Notifications.Email;

/// <summary>Mail goes through an SMTP server, or through Azure Communication Services where its endpoint is given.</summary>
public sealed class EmailOptions : IValidatableObject
{
    public const string SectionName = "Email";

    /// <summary>The SMTP server. Without it, and without an endpoint of Azure Communication Services, the channel cannot be used.</summary>
    public string? Host { get; set; }

    /// <summary>587 begins in the clear and switches to TLS; 465 begins with it.</summary>
    [Range(1, 65_535)]
    public int Port { get; set; } = 587;

    /// <summary>How the connection is protected. <c>None</c> only to a server on this machine.</summary>
    public EmailSecurity Security { get; set; } = EmailSecurity.StartTls;

    /// <summary>The login at the SMTP server; none when empty.</summary>
    public string? User { get; set; }

    /// <summary>Its password; a secret.</summary>
    public string? Password { get; set; }

    /// <summary>The sender, <c>runbooks@example.com</c>.</summary>
    public string? From { get; set; }

    /// <summary>The endpoint of Azure Communication Services, <c>https://name.communication.azure.com</c>; it is used with the app's identity instead of SMTP.</summary>
    public string? AcsEndpoint { get; set; }

    public bool IsSetUp => !string.IsNullOrEmpty(From) && !(string.IsNullOrEmpty(Host) && string.IsNullOrEmpty(AcsEndpoint));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Security == EmailSecurity.None && !string.IsNullOrEmpty(Host) && !IsLoopback(Host))
        {
            yield return new("Mail holds approval links, so the connection has to be encrypted: set Email:Security to StartTls or Tls.", [nameof(Security)]);
        }

        if (!string.IsNullOrEmpty(Host) && string.IsNullOrEmpty(From))
        {
            yield return new("Set Email:From to the sender's address.", [nameof(From)]);
        }

        if (!string.IsNullOrEmpty(AcsEndpoint) && !HttpsUrl.TryParse(AcsEndpoint, out _))
        {
            yield return new("Email:AcsEndpoint has to begin with https://.", [nameof(AcsEndpoint)]);
        }
    }

    private static bool IsLoopback(string host) =>
        host == "localhost" || (System.Net.IPAddress.TryParse(host, out var address) && System.Net.IPAddress.IsLoopback(address));
}

public enum EmailSecurity
{
    /// <summary>Begins in the clear and must switch to TLS before anything is said.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Tls,

    /// <summary>No encryption.</summary>
    None,
}
