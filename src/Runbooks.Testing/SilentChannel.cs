using System.Collections.Concurrent;
using Runbooks.Notifications;

namespace Runbooks.Testing;

/// <summary>Everybody is reached, and nothing is sent: what would have been is kept.</summary>
internal sealed class SilentChannel(TimeProvider time) : INotifier
{
    public const string Name = "silent";

    private readonly ConcurrentQueue<KeptCard> _kept = [];

    public string Channel => Name;

    /// <summary>In the order of sending.</summary>
    public IReadOnlyList<KeptCard> Kept => [.. _kept];

    public Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        _kept.Enqueue(new KeptCard(time.GetUtcNow(), to.Recipient, card));
        return Task.FromResult<string?>(null);
    }
}

internal sealed record KeptCard(DateTimeOffset At, string To, Card Card);
