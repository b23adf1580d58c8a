namespace Runbooks.Watchdog;

/// <summary>
/// Pages once when the engine or the store stops working, and says when it works again. Remembered in this process
/// only: what would remember it longer is the very thing that is down.
/// </summary>
public sealed class HealthMonitor(
    IIncidentStore store, SystemHealth health, FallbackNotifier fallback, AzureMonitorSilence azureMonitor, TimeProvider time, ILogger<HealthMonitor> logger)
{
    /// <summary>A single failed check is a hiccup.</summary>
    private const int PageAfterFailures = 2;

    private const string WhatItMeans =
        "Until it works again no incident goes on, and alerts may be refused: watch them at their senders. /healthz says what is wrong, and docs/troubleshooting.md what to do.";

    private int _failures;

    /// <summary>Names the present trouble. By the minute: hosts that notice it side by side mean the same one.</summary>
    private string _trouble = "";

    private bool _told;

    /// <summary>What told of it, or perhaps did.</summary>
    private IReadOnlyList<Delivery> _paged = [];

    /// <summary>When the trouble was seen first, until its end is on record.</summary>
    private DateTimeOffset? _since;

    /// <summary>When damage was seen first; it does not go away by itself.</summary>
    private DateTimeOffset? _damagedSince;
    private bool _toldOfDamage;

    private readonly Lock _gate = new();
    private Task<bool> _check = Task.FromResult(true);

    /// <summary>Whoever asks while somebody else does has the same answer: two checks side by side would page twice.</summary>
    /// <returns>Whether both work. A store that is damaged works all the same as far as it can be read and written.</returns>
    public Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _check.IsCompleted ? _check = CheckOnceAsync(cancellationToken) : _check;
        }
    }

    private async Task<bool> CheckOnceAsync(CancellationToken cancellationToken)
    {
        await NotifyOfDamageAsync(cancellationToken);
        if (await FindProblemAsync(cancellationToken) is { } trouble)
        {
            _since ??= time.GetUtcNow();
            _trouble = _failures++ == 0 ? time.GetUtcNow().ToString("'down:'yyyy-MM-dd'T'HHmm", CultureInfo.InvariantCulture) : _trouble;
            Log.Unhealthy(logger, trouble);
            if (_failures >= PageAfterFailures && !_told)
            {
                var page = await fallback.PageAsync("The runbook service does not work", $"{EndingText.Sentence(trouble)} {WhatItMeans}", FallbackNotifier.SystemId, _trouble, cancellationToken);
                (_told, _paged) = (page.Reached, page.With(_paged));
            }

            return false;
        }

        if (_told)
        {
            await fallback.NotifyOverAsync("The runbook service works again", "Engine and store answer. Open incidents go on where they stood. Look at your senders for alerts that were refused meanwhile.", FallbackNotifier.SystemId, _trouble, _paged, cancellationToken);
        }
        else if (_paged.Count > 0)
        {
            await fallback.ShowOverAsync("The runbook service works again", "Engine and store answer.", FallbackNotifier.SystemId, _paged, cancellationToken);
        }

        (_failures, _told, _paged) = (0, false, []);
        // On a disk that hangs again it never comes to an end, and the next check would wait for this one.
        if (_since is { } since && await logger.TryPartAsync(azureMonitor.Name, token => Task.Run(() => azureMonitor.RecordAsync(since, token), token).WaitAsync(SystemHealth.Longest, time, token), cancellationToken))
        {
            _since = null;
        }

        return true;
    }

    private async Task NotifyOfDamageAsync(CancellationToken cancellationToken)
    {
        if (store.Damage is not { } damage)
        {
            return;
        }

        Log.Unhealthy(logger, damage);
        _damagedSince ??= time.GetUtcNow();
        _toldOfDamage = _toldOfDamage || await fallback.NotifyAsync(
            "The database is damaged", $"{damage} What can be read and written goes on until then, and is watched.", FallbackNotifier.SystemId, $"damaged:{_damagedSince:yyyy-MM-dd'T'HHmm}", cancellationToken);
    }

    private async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (ofStore, ofEngine) = await health.LookAsync(cancellationToken);
            return ofStore ?? ofEngine;
        }
        // Whatever it throws, it does not work.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            return failure.Message;
        }
    }
}

/// <summary>
/// Whether the store and the engine work. What does not answer is down: on a disk that hangs nothing fails, it only never comes to an end.
/// </summary>
public sealed class SystemHealth(IIncidentStore store, IIncidentEngine engine, TimeProvider time)
{
    /// <summary>Longer than those need that find out by themselves what does not answer them.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(10);

    private readonly Question _store = new("The store", store.CheckHealthAsync, time);
    private readonly Question _engine = new("The task hub", engine.CheckHealthAsync, time);

    private volatile Found? _last;

    /// <returns>What is wrong with each, in words; null for what works.</returns>
    public async Task<(string? Store, string? Engine)> LookAsync(CancellationToken cancellationToken)
    {
        var troubles = await Task.WhenAll(_store.AskAsync(cancellationToken), _engine.AskAsync(cancellationToken));
        _last = new(troubles[0], troubles[1], time.GetTimestamp());
        return (troubles[0], troubles[1]);
    }

    /// <summary>What was found within the last ten seconds, or else is now: a look writes, and whoever likes may ask as often as they like.</summary>
    /// <inheritdoc cref="LookAsync"/>
    public async Task<(string? Store, string? Engine)> FindRecentAsync(CancellationToken cancellationToken) =>
        _last is { } last && time.GetElapsedTime(last.At) < s_fresh ? (last.Store, last.Engine) : await LookAsync(cancellationToken);

    private sealed record Found(string? Store, string? Engine, long At);

    /// <summary>Asked once at a time: of many who wait for one that hangs, each would hang another write on it.</summary>
    private sealed class Question(string whom, Func<CancellationToken, Task<string?>> ask, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private Task<string?> _asked = Task.FromResult<string?>(null);

        public async Task<string?> AskAsync(CancellationToken cancellationToken)
        {
            try
            {
                return await AskOnce().WaitAsync(Longest, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return $"{whom} does not answer: its disk hangs, or the network to it.";
            }
        }

        private Task<string?> AskOnce()
        {
            lock (_gate)
            {
                // Not with the token of one who asks: others wait for the same answer.
                return _asked.IsCompleted ? _asked = ask(CancellationToken.None) : _asked;
            }
        }
    }
}

/// <summary>
/// Tells whoever is last in line about the system itself. It does without the store, which may be what is down: where the contact is a
/// schedule, its last answer is kept and looked up there, and nobody waits long for that.
/// </summary>
public sealed class FallbackNotifier(NotificationDispatcher dispatcher, ILogger<FallbackNotifier> logger)
{
    /// <summary>Stands where an incident's id would: channels that join messages into threads join these.</summary>
    public const string SystemId = "runbooks-system";

    /// <param name="threadId">What the message is about, where it is not the system as a whole.</param>
    /// <param name="key">Names the trouble, another each time that it begins: the same on every attempt to tell it.</param>
    /// <returns>Whether it reached anybody.</returns>
    public async Task<bool> NotifyAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken) =>
        (await PageAsync(title, message, threadId, key, cancellationToken)).Reached;

    public async Task<SystemPage> PageAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Page, title, message, threadId);
        var sent = await dispatcher.SendAsync(new(key, [ContactBook.Fallback], _ => card), [], expect: null, cancellationToken);
        var page = new SystemPage(sent.Any(delivery => delivery.Reached), [.. sent.Where(delivery => delivery.Reached), .. sent.SelectMany(delivery => delivery.Perhaps)]);
        if (!page.Reached)
        {
            Log.NobodyReached(logger, threadId, message);
        }

        return page;
    }

    /// <summary>Tells that a trouble is over.</summary>
    /// <param name="page">What told of it.</param>
    public async Task NotifyOverAsync(string title, string message, string threadId, string key, IReadOnlyList<Delivery> page, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Closed, title, message, threadId) with { IsEnd = true };
        var told = await dispatcher.SendAsync(new($"{key}:over", [ContactBook.Fallback], _ => card), page, expect: null, cancellationToken);

        // Whoever heard it elsewhere, or is on call no more, has an alert that has not ended by that.
        await dispatcher.UpdateAsync(page.Where(alert => !told.Any(one => one.Reference is null && one.Contact == alert.Contact && one.Channel == alert.Channel)), _ => card, cancellationToken);
    }

    /// <summary>Brings the messages about a trouble that is over up to date, where nobody needs another one.</summary>
    public Task ShowOverAsync(string title, string message, string threadId, IReadOnlyList<Delivery> page, CancellationToken cancellationToken) =>
        dispatcher.UpdateAsync(page, _ => Of(CardKind.Closed, title, message, threadId), cancellationToken);

    private static Card Of(CardKind kind, string title, string message, string threadId) => new()
    {
        Kind = kind,
        IncidentId = threadId,
        Title = title,
        Severity = ImpactSeverity.High,
        Sections = [new("What happened", [message])],
    };
}

/// <summary>What became of a message about the system itself.</summary>
/// <param name="Reached">Whether it reached anybody.</param>
/// <param name="Sent">To end it with: what reached somebody, and alerts that perhaps exist.</param>
public sealed record SystemPage(bool Reached, IReadOnlyList<Delivery> Sent)
{
    /// <summary>With what told of the same trouble before.</summary>
    public IReadOnlyList<Delivery> With(IReadOnlyList<Delivery> earlier) => [.. earlier.Where(one => !Sent.Any(one.IsSameMessage)), .. Sent];
}
