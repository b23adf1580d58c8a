using Runbooks.Telemetry;

namespace Runbooks.Notifications;

/// <summary>Sends one message on one channel, within a time limit and with retries. Never throws.</summary>
public sealed class ChannelClient
{
    /// <summary>For one attempt. A channel that hangs is not tried again; the next channel is.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>Shorter, because somebody may wait while an old message is changed.</summary>
    private static readonly TimeSpan s_updateTimeout = TimeSpan.FromSeconds(5);

    internal const string Taken = "taken";

    internal const string Failed = "failed";

    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)];

    /// <summary>All pauses together. Where a channel asks for a longer pause, the next channel is tried.</summary>
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

    /// <summary>The reference that an alert will have, before it is sent; null where the channel does not ring or cannot tell.</summary>
    public string? ReferenceOf(Card card, Address to) =>
        _channels.TryGetValue(to.Channel, out var notifier) && notifier.Rings ? notifier.ReferenceOf(card, to) : null;

    /// <returns>The receipt, or why the channel did not take the message; then also whether it perhaps did.</returns>
    public async Task<(Receipt Receipt, string? Failure, bool IsUnsure)> TrySendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var (receipt, failure, isUnsure) = await SendAsync(card, to, cancellationToken);
        var outcome = failure is null ? Taken : Failed;
        Instruments.Messages.Add(1, Instruments.Tag(Attributes.Channel, to.Channel), Instruments.Tag(Attributes.Outcome, outcome));
        return (receipt, failure, isUnsure);
    }

    private async Task<(Receipt Receipt, string? Failure, bool IsUnsure)> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        if (!_channels.TryGetValue(to.Channel, out var notifier))
        {
            return (default, $"{to.Channel}: no such channel is set up.", false);
        }

        var (receipt, failure, attempts, isUnsure) = await RetryAsync(
            s_pauses.Length,
            s_patience,
            againIfLate: false,
            (shown, token) => notifier.SendAsync(shown, to, token),
            s_timeout,
            to.Channel,
            card,
            cancellationToken);
        if (failure is null)
        {
            return (receipt, null, isUnsure);
        }

        var tries = attempts == 1 ? "" : $" ({attempts} attempts)";
        return (receipt, $"{to.Channel}: {CleanText.Said(failure.Message)}{tries}", isUnsure);
    }

    /// <summary>
    /// The end of an alert is tried as often as a message, also after a timeout, since ending it twice does no harm. Any other change is
    /// tried once more, if the pause is short.
    /// </summary>
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
            s_updateTimeout,
            channel,
            card,
            cancellationToken)).Result;

    private async Task<(T? Result, Exception? Failure, int Attempts, bool IsUnsure)> RetryAsync<T>(
        int retries,
        TimeSpan patience,
        bool againIfLate,
        Func<Card, CancellationToken, Task<T>> work,
        TimeSpan atMost,
        string channel,
        Card card,
        CancellationToken cancellationToken)
    {
        var isUnsure = false;
        for (var attempt = 0; ; attempt++)
        {
            var (result, failure) = await AttemptAsync(work, atMost, channel, card, cancellationToken);
            if (failure is DeliveryException { IsForm: true })
            {
                (result, failure) = await AttemptAsync(work, atMost, channel, card.Shortened, cancellationToken);
            }

            isUnsure |= failure is not null && MayHaveTaken(failure);
            if (failure is null)
            {
                return (result, null, attempt + 1, isUnsure);
            }

            var canHelp = IsTransient(failure) || (againIfLate && IsLate(failure));
            if (!canHelp || attempt == retries || PauseAfter(failure, attempt) > patience)
            {
                return (result, failure, attempt + 1, isUnsure);
            }

            patience -= PauseAfter(failure, attempt);
            await Task.Delay(PauseAfter(failure, attempt), _time, cancellationToken);
        }
    }

    private static TimeSpan PauseAfter(Exception failure, int attempt) =>
        failure is DeliveryException { RetryAfter: { } asked } && asked > s_pauses[attempt] ? asked : s_pauses[attempt];

    private static bool IsTransient(Exception failure) =>
        failure is DeliveryException { Transient: true } or System.Net.Http.HttpRequestException;

    private static bool IsLate(Exception failure) => failure is DeliveryException { IsLate: true };

    /// <summary>Everything but a plain refusal: after a lost answer or a fault of the channel's own, the message may have been taken.</summary>
    private static bool MayHaveTaken(Exception failure) =>
        IsLate(failure)
        || failure is not DeliveryException
        || failure is DeliveryException { Transient: true, Status: not System.Net.HttpStatusCode.TooManyRequests };

    private async Task<(T? Result, Exception? Failure)> AttemptAsync<T>(
        Func<Card, CancellationToken, Task<T>> work, TimeSpan atMost, string channel, Card card, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(atMost, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // WaitAsync ends the wait even where the channel ignores its token.
            return (await work(card, either.Token).WaitAsync(either.Token), null);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            var late = new DeliveryException($"no answer within {atMost.TotalSeconds:0} s.") { IsLate = true };
            Log.ChannelFailed(_logger, channel, card.IncidentId, late);
            return (default, late);
        }
        // A channel may fail in any way. The caller records the failure and tries the next one.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.ChannelFailed(_logger, channel, card.IncidentId, Redactor.Redact(failure));
            return (default, failure);
        }
    }
}
