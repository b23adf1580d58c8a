using Runbooks.Telemetry;

namespace Runbooks.Notifications;

/// <summary>One message on one channel: bounded in time, tried again where that can help, and never an exception.</summary>
public sealed class ChannelClient
{
    /// <summary>The longest that one attempt may take. A channel that hangs is not tried again: the next one is.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>Changing an old message is a courtesy, and somebody may wait for it.</summary>
    private static readonly TimeSpan s_updateTimeout = TimeSpan.FromSeconds(5);

    /// <summary>What became of a message, as metrics say it.</summary>
    internal const string Taken = "taken";

    /// <inheritdoc cref="Taken"/>
    internal const string Failed = "failed";

    /// <summary>The pauses before the second and third attempt, unless the channel asks for longer ones.</summary>
    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)];

    /// <summary>All pauses together. A channel that wants to be left alone for longer is not knocked at again: the next one is tried.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

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

    /// <summary>What an alert will be called, before it is sent; null on channels that do not ring, or do not know it.</summary>
    public string? ReferenceOf(Card card, Address to) => _channels.TryGetValue(to.Channel, out var notifier) && notifier.Rings ? notifier.ReferenceOf(card, to) : null;

    /// <returns>What the channel says of it, or why it was not taken; and whether it perhaps was all the same.</returns>
    public async Task<(Receipt Receipt, string? Failure, bool IsUnsure)> TrySendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var (receipt, failure, isUnsure) = await SendAsync(card, to, cancellationToken);
        Instruments.Messages.Add(1, Instruments.Tag(Attributes.Channel, to.Channel), Instruments.Tag(Attributes.Outcome, failure is null ? Taken : Failed));
        return (receipt, failure, isUnsure);
    }

    private async Task<(Receipt Receipt, string? Failure, bool IsUnsure)> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        if (!_channels.TryGetValue(to.Channel, out var notifier))
        {
            return (default, $"{to.Channel}: no such channel is set up.", false);
        }

        var (receipt, failure, attempts, isUnsure) = await RetryAsync(
            s_pauses.Length, s_patience, againIfLate: false, (shown, token) => notifier.SendAsync(shown, to, token), s_timeout, to.Channel, card, cancellationToken);
        return (receipt, failure is null ? null : $"{to.Channel}: {Redactor.Redact(failure.Message)}{(attempts == 1 ? "" : $" ({attempts} attempts)")}", isUnsure);
    }

    /// <summary>
    /// An alert that is not ended rings on, so that is tried as often as a message is, also where no answer came: twice the same end is one.
    /// Any other change once more, if that is soon.
    /// </summary>
    /// <returns>Whether the channel took the change.</returns>
    public async Task<bool> TryUpdateAsync(string channel, string reference, Card card, CancellationToken cancellationToken) =>
        _channels.TryGetValue(channel, out var notifier) && (await RetryAsync(
            notifier.Rings ? s_pauses.Length : 1,
            notifier.Rings ? s_patience : s_updateTimeout,
            againIfLate: notifier.Rings,
            async (shown, token) =>
            {
                await notifier.UpdateAsync(reference, shown, token);
                return true;
            },
            s_updateTimeout, channel, card, cancellationToken)).Result;

    private async Task<(T? Result, Exception? Failure, int Attempts, bool IsUnsure)> RetryAsync<T>(
        int retries, TimeSpan patience, bool againIfLate, Func<Card, CancellationToken, Task<T>> work, TimeSpan atMost, string channel, Card card, CancellationToken cancellationToken)
    {
        var isUnsure = false;
        for (var attempt = 0; ; attempt++)
        {
            var (result, failure) = await AttemptAsync(work, atMost, channel, card, cancellationToken);
            if (failure is DeliveryException { IsForm: true })
            {
                // Better a short card than none.
                (result, failure) = await AttemptAsync(work, atMost, channel, card.Shortened, cancellationToken);
            }

            isUnsure |= failure is not null && MayHaveTaken(failure);
            if (failure is null || !(IsTransient(failure) || (againIfLate && IsLate(failure))) || attempt == retries || PauseAfter(failure, attempt) > patience)
            {
                return (result, failure, attempt + 1, isUnsure);
            }

            patience -= PauseAfter(failure, attempt);
            await Task.Delay(PauseAfter(failure, attempt), _time, cancellationToken);
        }
    }

    private static TimeSpan PauseAfter(Exception failure, int attempt) =>
        failure is DeliveryException { RetryAfter: { } asked } && asked > s_pauses[attempt] ? asked : s_pauses[attempt];

    private static bool IsTransient(Exception failure) => failure is DeliveryException { Transient: true } or System.Net.Http.HttpRequestException;

    private static bool IsLate(Exception failure) => failure is DeliveryException { IsLate: true };

    /// <summary>All but a plain refusal: an answer that was lost, or a fault of the channel's own, may have come after the message was taken.</summary>
    private static bool MayHaveTaken(Exception failure) =>
        IsLate(failure) || failure is not DeliveryException || failure is DeliveryException { Transient: true, Status: not System.Net.HttpStatusCode.TooManyRequests };

    private async Task<(T? Result, Exception? Failure)> AttemptAsync<T>(
        Func<Card, CancellationToken, Task<T>> work, TimeSpan atMost, string channel, Card card, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(atMost, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // The wait ends even where the channel does not listen to its token.
            return (await work(card, either.Token).WaitAsync(either.Token), null);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            var late = new DeliveryException($"no answer within {atMost.TotalSeconds:0} s.") { IsLate = true };
            Log.ChannelFailed(_logger, channel, card.IncidentId, late);
            return (default, late);
        }
        // A channel may fail in any way; the next one is tried, and the failure is on the record.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.ChannelFailed(_logger, channel, card.IncidentId, Redactor.Redact(failure));
            return (default, failure);
        }
    }
}
