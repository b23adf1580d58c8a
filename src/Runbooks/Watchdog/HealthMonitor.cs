using Runbooks.SignedLinks;

namespace Runbooks.Watchdog;

/// <summary>Pages once when the engine or the store stops working. Only this process remembers it, since the store may be down.</summary>
public sealed class HealthMonitor(
    IIncidentStore store, SystemHealth health, FallbackNotifier fallback, AzureMonitorSilence azureMonitor, TimeProvider time, ILogger<HealthMonitor> logger)
{
    /// <summary>One failed check alone may be a glitch.</summary>
    private const int PageAfterFailures = 2;

    private const string WhatItMeans =
        "Until it works again no incident goes on, and alerts may be refused: watch them at their senders. "
        + "/healthz says what is wrong, and docs/troubleshooting.md what to do.";

    private int _failures;

    /// <summary>Key of the present trouble. Made from the minute, so that hosts that notice it at the same time have the same key.</summary>
    private string _trouble = "";

    private bool _told;

    private IReadOnlyList<Delivery> _paged = [];

    /// <summary>When the trouble was first seen; null once its end is recorded.</summary>
    private DateTimeOffset? _since;

    private DateTimeOffset? _damagedSince;
    private bool _toldOfDamage;

    private readonly Lock _gate = new();
    private Task<bool> _check = Task.FromResult(true);

    /// <summary>A caller gets the answer of a check that already runs: two checks at the same time would page twice.</summary>
    /// <returns>Whether both work. A damaged store works as long as it can be read and written.</returns>
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
            if (_failures++ == 0)
            {
                _trouble = time.GetUtcNow().ToString("'down:'yyyy-MM-dd'T'HHmm", CultureInfo.InvariantCulture);
            }
            Log.Unhealthy(logger, trouble);
            if (_failures >= PageAfterFailures && !_told)
            {
                var page = await fallback.PageAsync(
                    "The runbook service does not work",
                    $"{EndingText.Sentence(trouble)} {WhatItMeans}",
                    FallbackNotifier.SystemId,
                    _trouble,
                    cancellationToken);
                (_told, _paged) = (page.Reached, page.With(_paged));
            }

            return false;
        }

        if (_told)
        {
            await fallback.NotifyOverAsync(
                "The runbook service works again",
                "Engine and store answer. Open incidents go on where they stood. Look at your senders for alerts that were refused meanwhile.",
                FallbackNotifier.SystemId,
                _trouble,
                _paged,
                cancellationToken);
        }
        else if (_paged.Count > 0)
        {
            await fallback.ShowOverAsync(
                "The runbook service works again", "Engine and store answer.", FallbackNotifier.SystemId, _paged, cancellationToken);
        }

        (_failures, _told, _paged) = (0, false, []);
        if (_since is { } since && await logger.TryPartAsync(azureMonitor.Name, token => RecordEndAsync(since, token), cancellationToken))
        {
            _since = null;
        }

        return true;
    }

    /// <summary>On another thread and with a limit: on a disk that hangs, the call would never return and would block the next check.</summary>
    private Task RecordEndAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        Task.Run(() => azureMonitor.RecordAsync(since, cancellationToken), cancellationToken).WaitAsync(SystemHealth.Longest, time, cancellationToken);

    private async Task NotifyOfDamageAsync(CancellationToken cancellationToken)
    {
        if (store.Damage is not { } damage)
        {
            return;
        }

        Log.Unhealthy(logger, damage);
        _damagedSince ??= time.GetUtcNow();
        _toldOfDamage = _toldOfDamage || await fallback.NotifyAsync(
            "The database is damaged",
            $"{damage} What can be read and written goes on until then, and is watched.",
            FallbackNotifier.SystemId,
            $"damaged:{_damagedSince:yyyy-MM-dd'T'HHmm}",
            cancellationToken);
    }

    private async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (ofStore, ofEngine) = await health.LookAsync(cancellationToken);
            return ofStore ?? ofEngine;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            return failure.Message;
        }
    }
}

/// <summary>Whether the store and the engine work. No answer in time counts as down, since a call to a disk that hangs never fails.</summary>
public sealed class SystemHealth(IIncidentStore store, IIncidentEngine engine, TimeProvider time)
{
    /// <summary>More than a store or engine needs that has time limits of its own.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(10);

    private readonly Question _store = new("The store", store.CheckHealthAsync, time);
    private readonly Question _engine = new("The task hub", engine.CheckHealthAsync, time);

    private volatile Found? _last;

    /// <summary>What was wrong at the last look; null where nothing was, or none was made yet.</summary>
    public string? LastTrouble => _last?.Store ?? _last?.Engine;

    /// <returns>What is wrong with each; null for what works.</returns>
    public async Task<(string? Store, string? Engine)> LookAsync(CancellationToken cancellationToken)
    {
        var troubles = await Task.WhenAll(_store.AskAsync(cancellationToken), _engine.AskAsync(cancellationToken));
        _last = new(troubles[0], troubles[1], time.GetTimestamp());
        return (troubles[0], troubles[1]);
    }

    /// <summary>An answer of the last ten seconds, else a new one. A check writes, and anybody may call this as often as they like.</summary>
    /// <inheritdoc cref="LookAsync"/>
    public async Task<(string? Store, string? Engine)> FindRecentAsync(CancellationToken cancellationToken) =>
        _last is { } last && time.GetElapsedTime(last.At) < s_fresh ? (last.Store, last.Engine) : await LookAsync(cancellationToken);

    private sealed record Found(string? Store, string? Engine, long At);

    /// <summary>Asked once at a time: where the store hangs, each further caller would leave another hanging write.</summary>
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
                // Without the caller's token, since others wait for the same answer.
                return _asked.IsCompleted ? _asked = ask(CancellationToken.None) : _asked;
            }
        }
    }
}

/// <summary>
/// Tells the last in line about the system itself. It works without the store, which may be down; only a schedule's kept answer is looked
/// up there, for a short time.
/// </summary>
public sealed class FallbackNotifier(NotificationDispatcher dispatcher, DecisionLinks links, ILogger<FallbackNotifier> logger)
{
    /// <summary>Used in place of an incident's id, so that channels with threads put these messages into one.</summary>
    public const string SystemId = "runbooks-system";

    /// <param name="threadId">What the message is about, where that is not the system as a whole.</param>
    /// <param name="key">Names the trouble, the same on every attempt. A trouble that begins again has another key.</param>
    /// <returns>Whether it reached anybody.</returns>
    public async Task<bool> NotifyAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken) =>
        (await PageAsync(title, message, threadId, key, cancellationToken)).Reached;

    public async Task<SystemPage> PageAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Page, title, message, threadId);
        var sent = await dispatcher.SendAsync(new(key, [ContactBook.Fallback], _ => card), [], expect: null, cancellationToken);
        var reached = sent.Where(delivery => delivery.Reached).ToList();
        var page = new SystemPage(reached.Count > 0, [.. reached, .. sent.SelectMany(delivery => delivery.Perhaps)]);
        if (!page.Reached)
        {
            Log.NobodyReached(logger, threadId, message);
        }

        return page;
    }

    public async Task NotifyOverAsync(
        string title, string message, string threadId, string key, IReadOnlyList<Delivery> page, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Closed, title, message, threadId) with { IsEnd = true };
        var told = await dispatcher.SendAsync(new($"{key}:over", [ContactBook.Fallback], _ => card), page, expect: null, cancellationToken);

        // Somebody who got this on another channel, or is no longer on call, still has the alert.
        await dispatcher.UpdateAsync(page.Where(alert => !HasEnded(alert)), _ => card, cancellationToken);

        bool HasEnded(Delivery alert) =>
            told.Any(end => end.Reference is null && end.Contact == alert.Contact && end.Channel == alert.Channel);
    }

    public Task ShowOverAsync(string title, string message, string threadId, IReadOnlyList<Delivery> page, CancellationToken cancellationToken) =>
        dispatcher.UpdateAsync(page, _ => Of(CardKind.Closed, title, message, threadId), cancellationToken);

    private Card Of(CardKind kind, string title, string message, string threadId) => new()
    {
        Kind = kind,
        IncidentId = threadId,
        Title = title,
        Severity = ImpactSeverity.High,
        Sections = [new("What happened", [message])],

        // Says which installation it is about.
        Links = [new("Console", links.Console(null))],
    };
}

/// <param name="Sent">What reached somebody, and alerts that it perhaps opened: both have to be ended.</param>
public sealed record SystemPage(bool Reached, IReadOnlyList<Delivery> Sent)
{
    public IReadOnlyList<Delivery> With(IReadOnlyList<Delivery> earlier) =>
        [.. earlier.Where(delivery => !Sent.Any(delivery.IsSameMessage)), .. Sent];
}
