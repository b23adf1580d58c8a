using System.Collections.Concurrent;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace TestKit.Incidents;

/// <summary>A channel that remembers what it was given, and fails when told to.</summary>
public sealed class RecordingNotifier(string channel = "test") : INotifier
{
    public string Channel => channel;

    public ConcurrentQueue<(string To, Card Card)> Sent { get; } = new();

    /// <summary>How messages were changed, by the key of each.</summary>
    public ConcurrentQueue<(string Key, Card Card)> Changed { get; } = new();

    /// <summary>Thrown for a recipient; null to take the message.</summary>
    public Func<string, Exception?> Failure { get; set; } = _ => null;

    /// <summary>It takes messages on without telling whether they arrive.</summary>
    public bool IsHandedOver { get; set; }

    public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        if (Failure(to.Recipient) is { } failure)
        {
            throw failure;
        }

        Sent.Enqueue((to.Recipient, card));
        return Task.FromResult(new Receipt(card.Key, IsHandedOver));
    }

    public Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
    {
        Changed.Enqueue((reference, card));
        return Task.CompletedTask;
    }

    public IEnumerable<string> To(CardKind kind) => Sent.Where(sent => sent.Card.Kind == kind).Select(sent => sent.To);
}
