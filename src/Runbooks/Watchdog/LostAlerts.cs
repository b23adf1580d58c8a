using System.Text.Json.Serialization;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

/// <summary>
/// Alerts that were sent here and not taken in. Few senders repeat a post that was refused, so nobody else would
/// tell: they are on record before the sender is answered, and the fallback contact is paged, once a burst of one sender for
/// one reason: a monitor that has been broken for days must not hide that another one of its kind lost an alert today.
/// </summary>
public sealed class LostAlerts(ISharedState state, FallbackNotifier fallback, TimeProvider time, ILogger<LostAlerts> logger) : IWatchdogJob
{
    /// <summary>Stands where an incident's id would; channels that join messages into threads keep these apart from others.</summary>
    public const string ThreadId = "runbooks-lost-alerts";

    /// <summary>The sender where nobody knows its kind.</summary>
    public const string UnknownSender = "an unknown sender";

    /// <summary>As metrics say it.</summary>
    internal const string Lost = "lost";

    private const string Key = "intake:lost-alerts";

    /// <summary>This long without a loss ends a burst.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(30);

    /// <summary>Reasons of one sender that are told apart at once: whoever makes up ever new ones does not page for each.</summary>
    private const int MaxReasons = 20;

    /// <summary>A burst that does not end is told of again.</summary>
    private static readonly TimeSpan s_again = TimeSpan.FromDays(1);

    /// <summary>A page that reached nobody, or was cut off, is tried again.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromMinutes(1);

    /// <summary>Senders wait some seconds for their answer; a slow channel goes on by itself.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    public string Name => ThreadId;

    /// <param name="sender">One of the known kinds, or a word for all others: there is a record for each and each reason.</param>
    /// <param name="alerts">How many at least; 0: nobody has read the post.</param>
    /// <exception cref="StoreUnavailableException">It is not on record: ask the sender to try again.</exception>
    public async Task RecordAsync(string sender, int alerts, string why, CancellationToken cancellationToken)
    {
        // Whoever has a key may name any sender, and the log may be a terminal.
        (sender, why) = (CleanText.Line(sender), CleanText.Line(why));
        Log.AlertsLost(logger, sender, alerts == 0 ? "a post that was not read" : $"at least {alerts}", why);
        Instruments.Alerts.Add(Math.Max(alerts, 1), Instruments.Tag(Attributes.Source, sender), Instruments.Tag(Attributes.Outcome, Lost));
        var now = time.GetUtcNow();
        await state.ChangeAsync<LostAlertsRecord>(Key, known => Add(known ?? LostAlertsRecord.None, sender, alerts, why, now), cancellationToken);
        try
        {
            // What was lost is on record: whatever goes wrong here must not cost the answer.
            await logger.TryPartAsync(Name, RunAsync, CancellationToken.None).WaitAsync(s_patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It is on record, and the watchdog tells if this page does not arrive.
        }
    }

    /// <summary>Pages about every burst that nobody was told of.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await state.FindAsync<LostAlertsRecord>(Key, cancellationToken) is not { } known || !known.Senders.Values.Any(burst => burst.IsDue(now)))
        {
            return;
        }

        // Whoever claims it tells it: hosts side by side send one page.
        var (_, due) = await state.UpdateAsync<LostAlertsRecord, IReadOnlyList<KeyValuePair<string, LostBurst>>>(
            Key, record => Claim(record ?? LostAlertsRecord.None, now), cancellationToken);
        foreach (var (kind, burst) in due)
        {
            var sender = LostAlertsRecord.SenderOf(kind);
            if (await fallback.NotifyAsync(burst.Title, burst.Describe(sender), ThreadId, $"{sender}:{TextHash.Of(kind, bytes: 6)}:{burst.PagedAt ?? burst.FirstAt:O}", cancellationToken))
            {
                await state.ChangeAsync<LostAlertsRecord>(Key, record => record!.With(kind, current => (current ?? burst) with { PagedAt = now }), cancellationToken);
            }
        }
    }

    private static LostAlertsRecord Add(LostAlertsRecord record, string sender, int alerts, string why, DateTimeOffset now)
    {
        // A loss that lies far ahead is of a clock that was.
        var going = record.Without(burst => burst.PagedAt is not null && (now - burst.LastAt).Duration() >= s_quiet);
        return going.With(going.KindOf(sender, why), burst => burst is null
            ? new(now, now, alerts, 1, why)
            : burst with { LastAt = now, Alerts = burst.Alerts + alerts, Posts = burst.Posts + 1, Why = why });
    }

    private static (LostAlertsRecord Record, IReadOnlyList<KeyValuePair<string, LostBurst>> Due) Claim(LostAlertsRecord record, DateTimeOffset now)
    {
        var due = record.Senders.Where(sender => sender.Value.IsDue(now)).ToList();
        return (due.Aggregate(record, (changed, sender) => changed.With(sender.Key, burst => burst! with { TriedAt = now })), due);
    }

    /// <param name="Senders">The bursts that go on, by sender and reason.</param>
    private sealed record LostAlertsRecord(IReadOnlyDictionary<string, LostBurst> Senders)
    {
        public static readonly LostAlertsRecord None = new(new Dictionary<string, LostBurst>());

        public static string SenderOf(string kind) => kind.Split('\n')[0];

        /// <summary>Numbers in a reason are those of the post: places, lengths. Of very many reasons the rest is one.</summary>
        public string KindOf(string sender, string why)
        {
            var kind = $"{sender}\n{Clip.To(string.Concat(why.Where(character => !char.IsAsciiDigit(character))), 200)}";
            return Senders.ContainsKey(kind) || Senders.Keys.Count(other => SenderOf(other) == sender) < MaxReasons ? kind : sender;
        }

        public LostAlertsRecord Without(Func<LostBurst, bool> isOver) =>
            new(Senders.Where(one => !isOver(one.Value)).ToDictionary());

        public LostAlertsRecord With(string kind, Func<LostBurst?, LostBurst> change) =>
            new(new Dictionary<string, LostBurst>(Senders) { [kind] = change(Senders.GetValueOrDefault(kind)) });
    }

    /// <param name="Why">Of the latest post.</param>
    /// <param name="TriedAt">When somebody last set out to page.</param>
    /// <param name="PagedAt">When a page last arrived.</param>
    private sealed record LostBurst(
        DateTimeOffset FirstAt, DateTimeOffset LastAt, int Alerts, int Posts, string Why, DateTimeOffset? TriedAt = null, DateTimeOffset? PagedAt = null)
    {
        /// <summary>A try that lies far ahead is of a clock that was.</summary>
        public bool IsDue(DateTimeOffset now) =>
            (PagedAt is not { } paged || (LastAt > paged && now - paged >= s_again)) && (TriedAt is not { } tried || (now - tried).Duration() >= s_retry);

        [JsonIgnore]
        public string Title => Alerts > 0 ? "Alerts were not taken in" : Posts == 1 ? "A post was turned away unread" : "Posts were turned away unread";

        public string Describe(string sender) =>
            $"{(Posts == 1 ? "A post" : $"{Posts} posts")} from {sender} {(Posts == 1 ? "at" : "since")} {FirstAt:yyyy-MM-dd HH:mm} UTC {What}. Look at the sender for what fires there: it may not send this again. The latest reason: {Why}";

        private string What => Alerts switch
        {
            0 => $"{CountText.Were(Posts)} turned away unread: whether {(Posts == 1 ? "it" : "they")} held alerts, and which, is not known",
            1 => "held an alert that was not taken in",
            _ => $"held alerts that were not taken in (at least {Alerts} in all, repeats counted)",
        };
    }
}

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
