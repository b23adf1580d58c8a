using Microsoft.Extensions.Logging;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Orchestration;

namespace Runbooks.Watchdog;

/// <summary>Pages about one trouble once. A page that reached nobody is tried again, ever more rarely.</summary>
public sealed class Pager(IncidentCloser closer, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <returns>Whether somebody was told, now or before.</returns>
    public async Task<bool> PageOnceAsync(Incident incident, string trouble, string message, CancellationToken cancellationToken)
    {
        var tries = incident.Deliveries.Where(delivery => delivery.Key.StartsWith(KeyOf(trouble), StringComparison.Ordinal)).ToList();
        if (tries.Exists(delivery => delivery.Reached))
        {
            return true;
        }

        // Each try leaves its lines in the record, which must not grow without bound while every channel is down.
        var rounds = tries.Select(delivery => delivery.At).Distinct().Count();
        return (rounds == 0 || time.GetUtcNow() - tries.Max(delivery => delivery.At) >= Pause(rounds))
            && await closer.PageAsync(new PageRequest(incident.Id, trouble, message), cancellationToken);
    }

    internal static string KeyOf(string trouble) => $"page:{trouble}:";

    private static TimeSpan Pause(int rounds)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(rounds, 10) - 1);
        return pause < LongestPause ? pause : LongestPause;
    }
}

/// <summary>Tells whoever is last in line about the system itself, without touching the store, which may be what is down.</summary>
public sealed class FallbackNotifier(ChannelClient channels, CurrentContacts contacts, ILogger<FallbackNotifier> logger)
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
        foreach (var recipient in contacts.Book.TryFind(ContactBook.Fallback, out var contact) ? contact.Recipients : [])
        {
            reached |= await NotifyAsync(recipient, card, cancellationToken);
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
