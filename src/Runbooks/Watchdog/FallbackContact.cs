using Microsoft.Extensions.Logging;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Watchdog;

/// <summary>Tells whoever is last in line about the system itself, without touching the store, which may be what is down.</summary>
public sealed class FallbackContact(ChannelSender channels, CurrentContacts contacts, ILogger<FallbackContact> logger)
{
    /// <summary>Stands where an incident's id would: channels that join messages into threads join these.</summary>
    public const string SystemId = "runbooks-system";

    /// <returns>Whether it reached anybody.</returns>
    public async Task<bool> TellAsync(string title, string message, CancellationToken cancellationToken)
    {
        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = SystemId,
            Title = title,
            Severity = ImpactSeverity.High,
            Sections = [new("What happened", [message])],
        };
        var reached = false;
        foreach (var recipient in contacts.Book.TryFind(ContactBook.Fallback, out var contact) ? contact.Recipients : [])
        {
            reached |= await TellAsync(recipient, card, cancellationToken);
        }

        if (!reached)
        {
            Log.NobodyReached(logger, SystemId, message);
        }

        return reached;
    }

    private async Task<bool> TellAsync(Recipient recipient, Card card, CancellationToken cancellationToken)
    {
        foreach (var address in recipient.Addresses)
        {
            if ((await channels.TrySendAsync(card, address, cancellationToken)).Failure is null)
            {
                return true;
            }
        }

        return false;
    }
}
