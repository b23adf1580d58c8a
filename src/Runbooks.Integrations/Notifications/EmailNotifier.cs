using System.Text.Encodings.Web;
using MimeKit;

namespace Runbooks.Integrations.Notifications;

internal sealed class EmailNotifier(IMailTransport transport, AddressSecrets secrets, IOptions<EmailOptions> options) : INotifier
{
    public string Channel => "email";

    public string? ConfigurationError => !options.Value.IsSetUp
        ? "no mail server is set up. Set Email:From, and Email:Host or Email:AcsEndpoint."
        : options.Value is { User.Length: > 0, Password: null or "", AcsEndpoint: null or "" }
            ? "the login at the mail server has no password. Set Email:Password."
            : null;

    public string? ValidateAddress(string to) => IsAddress(to) ? null : "this is not a mail address.";

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var address = secrets.Resolve(to.To);
        if ((ConfigurationError ?? ValidateAddress(address)) is { } objection)
        {
            throw new DeliveryException(objection);
        }

        return new(null, IsHandedOver: !await transport.SendAsync(card, address, cancellationToken));
    }

    /// <summary>One bare address: no names, no lists, and no line breaks that would begin another header.</summary>
    private static bool IsAddress(string to) =>
        !to.Any(char.IsControl) && MailboxAddress.TryParse(to, out var address) && address.Address == to && address.Domain.Length > 0;
}

/// <summary>
/// A card as the two parts of a mail. Everything is encoded, nothing is loaded from elsewhere, and both colour schemes are declared,
/// so that a dark phone shows it dark and not inverted.
/// </summary>
internal static class EmailBody
{
    private const string Style = """
        :root{color-scheme:light dark;supported-color-schemes:light dark}
        body{margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,sans-serif}
        main{max-width:36em;margin:0 auto}
        h1{font-size:20px;line-height:1.3;margin:0 0 16px}
        h2{font-size:14px;margin:16px 0 2px}
        p{margin:0 0 4px;overflow-wrap:anywhere}
        .go a{display:block;margin:24px 0 8px;padding:14px;border-radius:8px;text-align:center;font-weight:600;text-decoration:none;background-color:#0b5cad;color:#ffffff}
        .dry{border:2px solid #b25e00;padding:8px;font-weight:600}
        @media (prefers-color-scheme:dark){body{background-color:#16181c;color:#e8eaed}a{color:#8ab4f8}.go a{background-color:#8ab4f8;color:#16181c}}
        """;

    public static string Html(Card card)
    {
        var html = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            + "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n")
            .Append("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"supported-color-schemes\" content=\"light dark\">\n")
            .Append("<meta name=\"format-detection\" content=\"telephone=no,date=no,address=no,email=no,url=no\">\n")
            .Append("<title>").Append(Encode(CardText.Title(card))).Append("</title>\n")
            .Append("<style>\n").Append(Style).Append("\n</style></head>\n<body><main>\n");
        if (card.DryRun)
        {
            html.Append("<p class=\"dry\">").Append(CardText.DryRun).Append("</p>\n");
        }

        html.Append("<h1>").Append(Encode(CardText.Title(card))).Append("</h1>\n");
        foreach (var section in CardText.Sections(card))
        {
            html.Append("<h2>").Append(Encode(section.Heading)).Append("</h2>\n");
            foreach (var line in section.Lines)
            {
                html.Append("<p>").Append(Encode(line)).Append("</p>\n");
            }
        }

        for (var place = 0; place < card.Links.Count; place++)
        {
            html.Append(place == 0 ? "<p class=\"go\">" : "<p>")
                .Append("<a href=\"").Append(Encode(card.Links[place].Url)).Append("\">")
                .Append(Encode(card.Links[place].Text)).Append("</a></p>\n");
        }

        return html.Append(card.Asks ? "<p>Opening the link decides nothing. " : "<p>")
            .Append(Encode(card.IncidentId))
            .Append("</p>\n</main></body></html>\n").ToString();
    }

    public static string Text(Card card)
    {
        var text = new StringBuilder();
        if (card.DryRun)
        {
            text.AppendLine(CardText.DryRun).AppendLine();
        }

        text.AppendLine(CardText.Title(card));
        foreach (var section in CardText.Sections(card))
        {
            text.AppendLine().AppendLine(section.Heading.ToUpperInvariant());
            foreach (var line in section.Lines)
            {
                text.Append("  ").AppendLine(line);
            }
        }

        foreach (var link in card.Links)
        {
            text.AppendLine().Append(link.Text).AppendLine(":").AppendLine(link.Url);
        }

        return text.AppendLine()
            .Append(card.Asks ? "Opening the link decides nothing. " : "")
            .AppendLine(card.IncidentId)
            .ToString()
            .ReplaceLineEndings("\n");
    }

    public static string Subject(Card card) => card.DryRun ? $"[dry run] {Title(card)}" : Title(card);

    /// <summary>An encoded word (RFC 2047) that an alert writes into a title would be shown as other text than on the card.</summary>
    private static string Title(Card card) => CardText.Title(card, 150).Replace("=?", "= ?", StringComparison.Ordinal);

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}

/// <summary>Mail goes through an SMTP server, or through Azure Communication Services where its endpoint is given.</summary>
public sealed class EmailOptions : IValidatableObject
{
    public const string SectionName = "Email";

    /// <summary>The SMTP server. Without it, and without an endpoint of Azure Communication Services, the channel cannot be used.</summary>
    public string? Host { get; set; }

    /// <summary>587 begins in the clear and switches to TLS; 465 begins with it, also where <c>Security</c> is <c>StartTls</c>.</summary>
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

    /// <summary>
    /// The endpoint of Azure Communication Services, <c>https://name.communication.azure.com</c>; it is used with the app's identity
    /// instead of SMTP.
    /// </summary>
    public string? AcsEndpoint { get; set; }

    public bool IsSetUp => !string.IsNullOrEmpty(From) && !(string.IsNullOrEmpty(Host) && string.IsNullOrEmpty(AcsEndpoint));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. Security == EmailSecurity.None && !string.IsNullOrEmpty(Host) && !IsLoopback(Host)
            ? [new("Mail holds approval links, so the connection has to be encrypted: set Email:Security to StartTls or Tls.", [nameof(Security)])]
            : Array.Empty<ValidationResult>(),
        .. !string.IsNullOrEmpty(Host) && string.IsNullOrEmpty(From)
            ? [new("Set Email:From to the sender's address.", [nameof(From)])]
            : Array.Empty<ValidationResult>(),
        .. !string.IsNullOrEmpty(From) && !(MimeKit.MailboxAddress.TryParse(From, out var sender) && sender.Domain.Length > 0)
            ? [new("Email:From must be a mail address, such as runbooks@example.com.", [nameof(From)])]
            : Array.Empty<ValidationResult>(),
        .. !string.IsNullOrEmpty(Host) && Uri.CheckHostName(Host) == UriHostNameType.Unknown
            ? [new("Email:Host must be the bare name or address of the mail server, such as mail.example.com. Its port is Email:Port.", [nameof(Host)])]
            : Array.Empty<ValidationResult>(),
        .. !string.IsNullOrEmpty(AcsEndpoint) && !HttpsUrl.TryParse(AcsEndpoint, out _)
            ? [new("Email:AcsEndpoint has to begin with https://.", [nameof(AcsEndpoint)])]
            : Array.Empty<ValidationResult>(),
    ];

    private static bool IsLoopback(string host) =>
        host == "localhost" || (System.Net.IPAddress.TryParse(host, out var address) && System.Net.IPAddress.IsLoopback(address));
}

public enum EmailSecurity
{
    /// <summary>Begins in the clear and must switch to TLS before anything is said.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Tls,

    None,
}
