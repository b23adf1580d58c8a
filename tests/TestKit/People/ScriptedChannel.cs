using System.Collections.Concurrent;
using Runbooks.Notifications;

namespace TestKit.People;

/// <summary>A channel that does what a test says: takes, fails or hangs; and remembers what it was given and how cards were changed.</summary>
public sealed class ScriptedChannel(string name = "test") : INotifier
{
    private int _sent;

    public string Channel => name;

    public bool AddressIsSecret { get; init; }

    public bool Rings { get; set; }

    /// <summary>It takes messages on and does not tell whether they arrive.</summary>
    public bool HandsOver { get; init; }

    public string? ConfigurationError { get; set; }

    /// <summary>What happens before a message is taken; nothing unless said otherwise.</summary>
    public Func<Address, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What happens once a message is taken, before that is answered; nothing unless said otherwise.</summary>
    public Func<Address, CancellationToken, Task> After { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What happens before a message is changed; nothing unless said otherwise.</summary>
    public Func<Task> BeforeUpdate { get; set; } = () => Task.CompletedTask;

    public ConcurrentQueue<(Address To, Card Card)> Sent { get; } = new();

    /// <summary>The newest form of each message, by its reference.</summary>
    public ConcurrentDictionary<string, Card> Shown { get; } = new();

    /// <summary>What a channel calls a message, where that is the same for several people; a name of its own unless said otherwise.</summary>
    public Func<Address, Card, string>? ReferenceOf { get; set; }

    string? INotifier.ReferenceOf(Card card, Address to) => ReferenceOf?.Invoke(to, card);

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; private set; }

    public static Task Hang(Address to, CancellationToken cancellationToken) => new TaskCompletionSource().Task;

    public static Task Fail(Address to, CancellationToken cancellationToken) => throw new DeliveryException("answered 500.", transient: true);

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        Attempts++;
        await Before(to, cancellationToken);
        Sent.Enqueue((to, card));
        var reference = ReferenceOf?.Invoke(to, card) ?? $"{name}-{Interlocked.Increment(ref _sent)}";
        Shown[reference] = card;
        await After(to, cancellationToken);
        return new Receipt(reference, HandsOver);
    }

    public async Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
    {
        await BeforeUpdate();
        Shown[reference] = card;
    }
}
