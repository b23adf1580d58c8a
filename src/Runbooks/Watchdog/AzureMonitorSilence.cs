namespace Runbooks.Watchdog;

/// <summary>
/// Alerts that Azure Monitor never sends. After a minute of 503, 504 or no answer it gives an alert up, and no action group calls this
/// address for 15 minutes: what fires until then is lost although all is well again here, and nothing of it is in any log. So once
/// that time has passed, <c>fallback</c> is told between when and when to look there: once for an outage, however many processes saw it.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#webhook"/>
public sealed class AzureMonitorSilence(ISharedState state, FallbackNotifier fallback, TimeProvider time) : IWatchdogJob
{
    /// <summary>Stands where an incident's id would; channels that join messages into threads keep these apart from others.</summary>
    public const string ThreadId = "runbooks-azure-monitor";

    private const string Key = "intake:azure-monitor";

    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(15);

    /// <summary>The watch looks once a minute, so an outage may have begun that long before it was seen, and the page waits as long for the last silence to end.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMinutes(1);

    /// <summary>An outage that one look alone has seen may have been shorter than the 75 seconds for which Azure Monitor goes on trying.</summary>
    private static readonly TimeSpan s_hiccup = TimeSpan.FromSeconds(90);

    private volatile bool _noted;

    public string Name => ThreadId;

    /// <summary>Puts on record that Azure Monitor sends alerts here: whom it never called need not look there.</summary>
    public async Task NoteAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken)
    {
        if (_noted || !alerts.Any(alert => alert.Source == AlertSource.AzureMonitor))
        {
            return;
        }

        await state.ChangeAsync<Outage>(Key, known => known ?? new Outage(), cancellationToken);
        _noted = true;
    }

    /// <summary>Alerts could not be taken until now.</summary>
    /// <param name="since">When that was seen first.</param>
    public async Task RecordAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (now - since > s_hiccup && await state.FindAsync<Outage>(Key, cancellationToken) is not null)
        {
            await state.ChangeAsync<Outage>(Key, known => (known ?? new Outage()).With(since - s_look, now), cancellationToken);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // An end that lies ahead is of a clock that was.
        if (await state.FindAsync<Outage>(Key, cancellationToken) is not { From: { } from, Until: { } until } outage || (time.GetUtcNow() - until).Duration() < s_silence + s_look)
        {
            return;
        }

        // One of days needs the day of its end too.
        string At(DateTimeOffset at) => at.ToString(at.UtcDateTime.Date == from.UtcDateTime.Date ? "HH:mm" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        if (await fallback.NotifyAsync(
            "Alerts of Azure Monitor may be missing",
            $"Alerts could not be taken here from {from:yyyy-MM-dd HH:mm} to {At(until)} UTC. After a minute of that Azure Monitor gives an alert up, and sends nothing here for 15 minutes: "
            + $"what fired from {from:HH:mm} to {At(until + s_silence)} UTC may never have come, and is not sent again. Look in Azure Monitor at what is fired, and start those runbooks by hand.",
            ThreadId, $"{ThreadId}:{from:O}", cancellationToken))
        {
            // Another outage may have come on record meanwhile: it is told of in its turn.
            await state.ChangeAsync<Outage>(Key, known => known == outage ? new Outage() : known!, cancellationToken);
        }
    }

    /// <summary>That there is one says that Azure Monitor calls here; its times are those of an outage that nobody was told of, or of several.</summary>
    private sealed record Outage(DateTimeOffset? From = null, DateTimeOffset? Until = null)
    {
        public Outage With(DateTimeOffset from, DateTimeOffset until) => new(From < from ? From : from, Until > until ? Until : until);
    }
}
