namespace Runbooks.Messages;

/// <summary>One channel: Teams, Slack, e-mail … A duplicate channel name fails at start-up.</summary>
public interface INotifier
{
    /// <summary>As contacts name it: <c>teams</c>, <c>slack</c>, <c>email</c>, <c>outbox</c>.</summary>
    string Channel { get; }

    /// <summary>Sends, and returns once the channel has taken it. Throws when it has not, in words without secrets.</summary>
    /// <returns>What <see cref="UpdateAsync"/> needs to find the message again; null where it cannot be changed.</returns>
    Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken);

    /// <summary>Replaces a message that was sent before, so that its buttons no longer ask. Channels that cannot do it do nothing.</summary>
    Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Where one recipient is reached on one channel.</summary>
/// <param name="To">In the channel's own form: a mail address, a Slack channel, the name of a webhook setting.</param>
/// <param name="Recipient">Whose link and card it is.</param>
public sealed record Address(string Channel, string To, string Recipient);
