using System.Text.Json.Serialization;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

/// <summary>
/// Alerts that were sent here and not taken in. Few senders repeat a refused post, so a loss is recorded before the sender is answered, and
/// <c>fallback</c> is paged once for each burst. A burst has one sender and one reason, so that a monitor that has been broken for days does
/// not hide another loss.
/// </summary>
public sealed class LostAlerts(ISharedState state, FallbackNotifier fallback, TimeProvider time, ILogger<LostAlerts> logger) : IWatchdogJob
{
    /// <summary>Used in place of an incident's id, so that channels with threads keep these messages apart.</summary>
    public const string ThreadId = "runbooks-lost-alerts";

    public const string UnknownSender = "an unknown sender";

    internal const string Lost = "lost";

    private const string Key = "intake:lost-alerts";

    /// <summary>This long without a loss ends a burst.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(30);

    /// <summary>Reasons of one sender that are kept apart, so that a sender with ever new reasons does not page for each.</summary>
    private const int MaxReasons = 20;

    private static readonly TimeSpan s_again = TimeSpan.FromDays(1);

    /// <summary>A page that reached nobody, or was interrupted, is tried again after this time.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromMinutes(1);

    /// <summary>Senders wait a few seconds for their answer. A page on a slow channel goes on without them.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    public string Name => ThreadId;

    /// <param name="sender">A known kind, or one word for all others: each sender and reason has a record of its own.</param>
    /// <param name="alerts">At least so many; 0 where nobody has read the post.</param>
    /// <exception cref="StoreUnavailableException">The loss is not recorded: ask the sender to try again.</exception>
    public async Task RecordAsync(string sender, int alerts, string why, CancellationToken cancellationToken)
    {
        // The holder of a key may name any sender, and the log may be a terminal.
        (sender, why) = (CleanText.Line(sender), CleanText.Line(why));
        Log.AlertsLost(logger, sender, alerts == 0 ? "a post that was not read" : $"at least {alerts}", why);
        Instruments.Alerts.Add(Math.Max(alerts, 1), Instruments.Tag(Attributes.Source, sender), Instruments.Tag(Attributes.Outcome, Lost));
        var now = time.GetUtcNow();
        await state.ChangeAsync<LostAlertsRecord>(Key, known => Add(known ?? LostAlertsRecord.None, sender, alerts, why, now), cancellationToken);
        try
        {
            // The loss is recorded, so a failure here must not change the answer.
            await logger.TryPartAsync(Name, RunAsync, CancellationToken.None).WaitAsync(s_patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The watchdog pages if this page does not arrive.
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var known = await state.FindAsync<LostAlertsRecord>(Key, cancellationToken);
        if (known is null || !known.Senders.Values.Any(burst => burst.IsDue(now)))
        {
            return;
        }

        // Only the host that claims a burst pages for it.
        var (_, due) = await state.UpdateAsync<LostAlertsRecord, IReadOnlyList<KeyValuePair<string, LostBurst>>>(
            Key, record => Claim(record ?? LostAlertsRecord.None, now), cancellationToken);
        foreach (var (kind, burst) in due)
        {
            var sender = LostAlertsRecord.SenderOf(kind);
            var key = $"{sender}:{TextHash.Of(kind, bytes: 6)}:{burst.PagedAt ?? burst.FirstAt:O}";
            if (await fallback.NotifyAsync(burst.Title, burst.Describe(sender), ThreadId, key, cancellationToken))
            {
                await state.ChangeAsync<LostAlertsRecord>(Key, record => record!.With(kind, current => (current ?? burst) with { PagedAt = now }), cancellationToken);
            }
        }
    }

    private static LostAlertsRecord Add(LostAlertsRecord record, string sender, int alerts, string why, DateTimeOffset now)
    {
        // Duration, since a loss far in the future was recorded by a clock that was ahead.
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

    private sealed record LostAlertsRecord(IReadOnlyDictionary<string, LostBurst> Senders)
    {
        public static readonly LostAlertsRecord None = new(new Dictionary<string, LostBurst>());

        public static string SenderOf(string kind) => kind.Split('\n')[0];

        /// <summary>Without digits, which are those of the post, such as lengths. Too many reasons of one sender share one record.</summary>
        public string KindOf(string sender, string why)
        {
            var kind = $"{sender}\n{Clip.To(string.Concat(why.Where(character => !char.IsAsciiDigit(character))), 200)}";
            return Senders.ContainsKey(kind) || Senders.Keys.Count(other => SenderOf(other) == sender) < MaxReasons ? kind : sender;
        }

        public LostAlertsRecord Without(Func<LostBurst, bool> isOver) =>
            new(Senders.Where(sender => !isOver(sender.Value)).ToDictionary());

        public LostAlertsRecord With(string kind, Func<LostBurst?, LostBurst> change) =>
            new(new Dictionary<string, LostBurst>(Senders) { [kind] = change(Senders.GetValueOrDefault(kind)) });
    }

    private sealed record LostBurst(
        DateTimeOffset FirstAt,
        DateTimeOffset LastAt,
        int Alerts,
        int Posts,
        string Why,
        DateTimeOffset? TriedAt = null,
        DateTimeOffset? PagedAt = null)
    {
        public bool IsDue(DateTimeOffset now)
        {
            var isPageDue = PagedAt is not { } paged || (LastAt > paged && now - paged >= s_again);

            // Duration, since a try far in the future was recorded by a clock that was ahead.
            return isPageDue && (TriedAt is not { } tried || (now - tried).Duration() >= s_retry);
        }

        [JsonIgnore]
        public string Title =>
            Alerts > 0 ? "Alerts were not taken in"
            : Posts == 1 ? "A post was turned away unread"
            : "Posts were turned away unread";

        public string Describe(string sender)
        {
            var (posts, when) = Posts == 1 ? ("A post", "at") : ($"{Posts} posts", "since");
            return $"{posts} from {sender} {when} {FirstAt:yyyy-MM-dd HH:mm} UTC {What}. "
                + $"Look at the sender for what fires there: it may not send this again. The latest reason: {Why}";
        }

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
/// address for 15 minutes. What fires in that time is lost, and no log shows it. So <c>fallback</c> is told once for each outage which
/// period to look at there.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#webhook"/>
public sealed class AzureMonitorSilence(ISharedState state, FallbackNotifier fallback, TimeProvider time) : IWatchdogJob
{
    public const string ThreadId = "runbooks-azure-monitor";

    private const string Key = "intake:azure-monitor";

    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(15);

    /// <summary>The watchdog checks once a minute, so an outage may have begun a minute before it was seen.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMinutes(1);

    /// <summary>An outage that only one check saw may have been shorter than the 75 seconds for which Azure Monitor tries again.</summary>
    private static readonly TimeSpan s_hiccup = TimeSpan.FromSeconds(90);

    private volatile bool _noted;

    public string Name => ThreadId;

    /// <summary>Records that Azure Monitor sends alerts here. Where it never does, nobody has to look there.</summary>
    public async Task NoteAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken)
    {
        if (_noted || !alerts.Any(alert => alert.Source == AlertSource.AzureMonitor))
        {
            return;
        }

        await state.ChangeAsync<Outage>(Key, known => known ?? new Outage(), cancellationToken);
        _noted = true;
    }

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
        // Duration, since an end in the future was recorded by a clock that was ahead.
        var known = await state.FindAsync<Outage>(Key, cancellationToken);
        if (known is not { From: { } from, Until: { } until } outage || (time.GetUtcNow() - until).Duration() < s_silence + s_look)
        {
            return;
        }

        if (await fallback.NotifyAsync(
            "Alerts of Azure Monitor may be missing",
            $"Alerts could not be taken here from {from:yyyy-MM-dd HH:mm} to {At(until)} UTC. "
            + "After a minute of that Azure Monitor gives an alert up, and sends nothing here for 15 minutes: "
            + $"what fired from {from:HH:mm} to {At(until + s_silence)} UTC may never have come, and is not sent again. "
            + "Look in Azure Monitor at what is fired, and start those runbooks by hand.",
            ThreadId,
            $"{ThreadId}:{from:O}",
            cancellationToken))
        {
            // Another outage that was recorded meanwhile gets its own page.
            await state.ChangeAsync<Outage>(Key, known => known == outage ? new Outage() : known!, cancellationToken);
        }

        string At(DateTimeOffset at) =>
            at.ToString(at.UtcDateTime.Date == from.UtcDateTime.Date ? "HH:mm" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
    }

    /// <summary>Exists once Azure Monitor has called here. Its times are those of the outages that nobody was told of.</summary>
    private sealed record Outage(DateTimeOffset? From = null, DateTimeOffset? Until = null)
    {
        public Outage With(DateTimeOffset from, DateTimeOffset until) => new(From < from ? From : from, Until > until ? Until : until);
    }
}
