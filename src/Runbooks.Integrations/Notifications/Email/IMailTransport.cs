using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Email;

/// <summary>How a mail leaves: SMTP, or Azure Communication Services.</summary>
internal interface IMailTransport
{
    /// <exception cref="DeliveryException">It was not taken.</exception>
    Task SendAsync(Card card, string to, CancellationToken cancellationToken);
}
