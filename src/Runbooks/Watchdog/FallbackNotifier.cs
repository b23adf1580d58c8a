using Microsoft.Extensions.Logging;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Watchdog;

/// <summary>
/// Tells whoever is last in line about the system itself. It does without the store, which may be what is down: where the contact is a
/// schedule, its last answer is kept and looked up there, and nobody waits long for that.
/// </summary>
public sealed class FallbackNotifier(ChannelClient channels, OnCallDirectory directory, ILogger<FallbackNotifier> logger)
{
    /// <summary>Stands where an incident's id would: channels that join messages into threads join these.</summary>
    public const string SystemId = "runbooks-system";

    /// <returns>Whether it reached anybody.</returns>
    public Task<bool> NotifyAsync(string title, string message, CancellationToken cancellationToken) =>
        NotifyAsync(title, message, SystemId, key: null, cancellationToken);

    /// <param name="threadId">What the message is about, where it is not the system as a whole.</param>
    /// <param name="key">The same on every attempt to send this message; null for one that may be sent as often as it is.</param>
    /// <returns>Whether it reached anybody.</returns>
    public async Task<bool> NotifyAsync(string title, string message, string threadId, string? key, CancellationToken cancellationToken)
    {
        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = threadId,
            Key = key,
            Title = title,
            Severity = ImpactSeverity.High,
            Sections = [new("What happened", [message])],
        };
        var reached = false;
        foreach (var recipient in (await directory.ResolveAsync([ContactBook.Fallback], cancellationToken)).RecipientsOf([ContactBook.Fallback]))
        {
            // Somebody whom the contacts do not know is told, and counts for nobody.
            reached |= await NotifyAsync(recipient, card.For(recipient), cancellationToken) && !recipient.IsStranger;
        }

        if (!reached)
        {
            Log.NobodyReached(logger, threadId, message);
        }

        return reached;
    }

    private async Task<bool> NotifyAsync(Recipient recipient, Card card, CancellationToken cancellationToken)
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
