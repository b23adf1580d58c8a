using System.Text.Json.Serialization;

namespace Runbooks.Notifications;

/// <summary>Alerts whose end the channel has not accepted yet. They would ring on, so the end is tried again for a day.</summary>
public sealed class UnendedAlerts(
    ISharedState state, IIncidentStore store, ChannelClient channels, TimeProvider time, ILogger<UnendedAlerts> logger) : IWatchdogJob
{
    private const string Key = "alerts:unended";

    private static readonly TimeSpan s_triedFor = TimeSpan.FromDays(1);

    /// <summary>How many are tried at the same time. If a channel refuses all of one batch, the rest waits for the next minute.</summary>
    private const int AtOnce = 8;

    public string Name => "alerts that did not end";

    /// <summary>Keeps these alerts and notes it on the incidents. Never throws: the caller has ended something and cannot do more.</summary>
    public async Task KeepAsync(IReadOnlyList<UnendedAlert> alerts)
    {
        if (alerts.Count == 0)
        {
            return;
        }

        try
        {
            var (_, before) = await state.UpdateAsync<Known, Known>(
                Key,
                known => (alerts.Aggregate(known ?? Known.None, (kept, alert) => kept.With(alert)), known ?? Known.None),
                CancellationToken.None);
            await NoteAsync(
                alerts.Where(alert => before.Find(alert) is null),
                alert => $"{alert.Channel} could not be told {alert.What}, so an alert may ring on there. It is tried again for a day.");
        }
        catch (Exception trouble)
        {
            Log.AlertNotKept(logger, alerts[0].Reference, trouble);
        }
    }

    /// <summary>A new message opened an alert with the same reference, so the end of the old one is no longer tried.</summary>
    public Task ForgetAsync(IReadOnlyList<Delivery> sent, CancellationToken cancellationToken) => state.ChangeAsync<Known>(
        Key,
        known =>
        {
            var before = known ?? Known.None;
            var left = before.Alerts.Where(alert => !sent.Any(delivery => (delivery.Channel, delivery.Reference) == (alert.Channel, alert.Reference))).ToList();
            return left.Count < before.Alerts.Count ? new(left) : before;
        },
        cancellationToken);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var known = await state.FindAsync<Known>(Key, cancellationToken) ?? Known.None;
        var due = known.Alerts.Where(alert => alert.IsDue(now)).OrderBy(alert => alert.TriedAt);
        foreach (var batch in due.Chunk(AtOnce))
        {
            var tried = await Task.WhenAll(batch.Select(async alert => (
                Alert: alert,
                IsTaken: await channels.TryUpdateAsync(alert.Channel, alert.Reference, alert.Shown, cancellationToken))));
            var taken = tried.Where(attempt => attempt.IsTaken).Select(attempt => attempt.Alert).ToList();
            var tooLate = tried.Where(attempt => !attempt.IsTaken && now - attempt.Alert.Since >= s_triedFor).Select(attempt => attempt.Alert).ToList();
            await state.ChangeAsync<Known>(Key, kept => (kept ?? Known.None).After(batch, [.. taken, .. tooLate], now), cancellationToken);
            await NoteAsync(taken, alert => $"{alert.Channel} has been told {alert.What} now.");
            await NoteAsync(
                tooLate,
                alert => $"{alert.Channel} could not be told {alert.What} for a day. An alert may ring on there: resolve it by hand.");
            if (taken.Count == 0)
            {
                break;
            }
        }
    }

    private async Task NoteAsync(IEnumerable<UnendedAlert> alerts, Func<UnendedAlert, string> words)
    {
        foreach (var lines in alerts.GroupBy(alert => alert.Card.IncidentId, words))
        {
            try
            {
                await store.RecordAtOnceAsync(
                    lines.Key,
                    incident => lines.Distinct().Aggregate(
                        incident, (noted, line) => noted.Note(time.GetUtcNow(), TimelineKind.Message, "runbook", line)),
                    time);
            }
            catch (KeyNotFoundException)
            {
                // The alert belongs to no incident.
            }
        }
    }

    private sealed record Known(IReadOnlyList<UnendedAlert> Alerts)
    {
        public static readonly Known None = new([]);

        public UnendedAlert? Find(UnendedAlert alert) => Alerts.FirstOrDefault(alert.IsSame);

        /// <summary>A slower caller with an older state of the incident does not replace the end.</summary>
        public Known With(UnendedAlert alert)
        {
            var isOlder = Find(alert) is { IsSeenTo: false } known && (alert.IsSeenTo || known.Card.Kind == CardKind.Closed);
            return isOlder ? this : new([.. Alerts.Where(other => !other.IsSame(alert)), alert]);
        }

        public Known After(IReadOnlyList<UnendedAlert> tried, IReadOnlyList<UnendedAlert> done, DateTimeOffset now)
        {
            var left = Alerts.Where(alert => !done.Any(alert.SaysTheSameAs));
            return new([.. left.Select(alert => tried.Any(alert.SaysTheSameAs) ? alert with { Tries = alert.Tries + 1, TriedAt = now } : alert)]);
        }
    }
}

/// <summary>An alert that should no longer call anybody.</summary>
/// <param name="Card">What the channel needs of the card to end or acknowledge the alert.</param>
public sealed record UnendedAlert(string Channel, string Reference, Card Card, DateTimeOffset Since)
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromHours(1);

    public int Tries { get; init; } = 1;

    /// <inheritdoc cref="Card.IsSeenTo"/>
    public bool IsSeenTo { get; init; }

    [JsonIgnore]
    public Card Shown => Card with { IsSeenTo = IsSeenTo };

    public DateTimeOffset TriedAt { get; init; } = Since;

    [JsonIgnore]
    public string What => Card.Kind == CardKind.Closed ? "that it is over" : "that it is answered";

    public static UnendedAlert Of(string channel, string reference, Card card, DateTimeOffset now) => new(
        channel,
        reference,
        card with { Kind = card.Informs ? card.Kind : CardKind.Decided, Sections = [], Links = [] },
        now) { IsSeenTo = card.IsSeenTo };

    public bool IsDue(DateTimeOffset now) => !Reach.IsTooSoon(Tries, TriedAt, s_firstPause, s_longestPause, now);

    public bool IsSame(UnendedAlert other) => (other.Channel, other.Reference) == (Channel, Reference);

    public bool SaysTheSameAs(UnendedAlert other) => IsSame(other) && other.Card.Kind == Card.Kind;
}
