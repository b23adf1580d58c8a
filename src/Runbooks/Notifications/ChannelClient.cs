using Microsoft.Extensions.Logging;
using Runbooks.Model.Text;
using Runbooks.Telemetry;

namespace Runbooks.Notifications;

/// <summary>One message on one channel: bounded in time, tried again where that can help, and never an exception.</summary>
public sealed class ChannelClient
{
    /// <summary>The longest that one attempt may take. A channel that hangs is not tried again: the next one is.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Changing an old message is a courtesy, and somebody may wait for it.</summary>
    private static readonly TimeSpan UpdateTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The pauses before the second and third attempt.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)];

    private readonly Dictionary<string, INotifier> _channels;
    private readonly TimeProvider _time;
    private readonly ILogger<ChannelClient> _logger;

    /// <exception cref="ArgumentException">Two notifiers have the same channel.</exception>
    public ChannelClient(IEnumerable<INotifier> notifiers, TimeProvider time, ILogger<ChannelClient> logger)
    {
        _channels = notifiers.ToDictionary(notifier => notifier.Channel, StringComparer.OrdinalIgnoreCase);
        _time = time;
        _logger = logger;
    }

    public bool Rings(string channel) => _channels.TryGetValue(channel, out var notifier) && notifier.Rings;

    /// <returns>What the channel says of it, or why it was not taken.</returns>
    public async Task<(Receipt Receipt, string? Failure)> TrySendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var (receipt, failure) = await SendAsync(card, to, cancellationToken);
        Instruments.Messages.Add(1, Instruments.Tag(Attributes.Channel, to.Channel), Instruments.Tag(Attributes.Outcome, failure is null ? "taken" : "failed"));
        return (receipt, failure);
    }

    private async Task<(Receipt Receipt, string? Failure)> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        if (!_channels.TryGetValue(to.Channel, out var notifier))
        {
            return (default, $"{to.Channel}: no such channel is set up.");
        }

        for (var attempt = 0; ; attempt++)
        {
            var (receipt, failure) = await AttemptAsync(token => notifier.SendAsync(card, to, token), Timeout, to.Channel, card, cancellationToken);
            if (failure is null || !IsTransient(failure) || attempt == Pauses.Length)
            {
                return (receipt, failure is null ? null : $"{to.Channel}: {Redactor.Redact(failure.Message)}{(attempt == 0 ? "" : $" ({attempt + 1} attempts)")}");
            }

            await Task.Delay(Pauses[attempt], _time, cancellationToken);
        }
    }

    /// <returns>Whether the channel took the change.</returns>
    public async Task<bool> TryUpdateAsync(string channel, string reference, Card card, CancellationToken cancellationToken) =>
        _channels.TryGetValue(channel, out var notifier) && (await AttemptAsync(
            async token =>
            {
                await notifier.UpdateAsync(reference, card, token);
                return true;
            },
            UpdateTimeout, channel, card, cancellationToken)).Result;

    private static bool IsTransient(Exception failure) => failure is DeliveryException { Transient: true } or System.Net.Http.HttpRequestException;

    private async Task<(T? Result, Exception? Failure)> AttemptAsync<T>(
        Func<CancellationToken, Task<T>> work, TimeSpan atMost, string channel, Card card, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(atMost, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // The wait ends even where the channel does not listen to its token.
            return (await work(either.Token).WaitAsync(either.Token), null);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            var late = new DeliveryException($"no answer within {atMost.TotalSeconds:0} s.");
            Log.ChannelFailed(_logger, channel, card.IncidentId, late);
            return (default, late);
        }
#pragma warning disable CA1031 // A channel may fail in any way; the next one is tried, and the failure is on the record.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Log.ChannelFailed(_logger, channel, card.IncidentId, Redactor.Redact(failure));
            return (default, failure);
        }
    }
}
