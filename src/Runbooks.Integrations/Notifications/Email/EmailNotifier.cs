using Microsoft.Extensions.Options;
using MimeKit;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Email;

/// <summary>Mail, as text and HTML. What was sent cannot be changed; its link says how the question ended.</summary>
internal sealed class EmailNotifier(IMailTransport transport, AddressSecrets secrets, IOptions<EmailOptions> options) : INotifier
{
    public string Channel => "email";

    public string? Lack => options.Value.IsSetUp ? null : "no mail server is set up. Set Email:From, and Email:Host or Email:AcsEndpoint.";

    public string? Objection(string to) => IsAddress(to) ? null : "this is not a mail address.";

    public async Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var address = secrets.Resolve(to.To);
        if ((Lack ?? Objection(address)) is { } objection)
        {
            throw new DeliveryException(objection);
        }

        await transport.SendAsync(card, address, cancellationToken);
        return null;
    }

    /// <summary>One bare address: no names, no lists, and no line breaks that would begin another header.</summary>
    private static bool IsAddress(string to) =>
        !to.Any(char.IsControl) && MailboxAddress.TryParse(to, out var address) && address.Address == to && address.Domain.Length > 0;
}
