namespace Runbooks.Notifications.Storms;

/// <summary>
/// Tells which incidents of storms hold a temporary fix and how they ended, many in one message. What did not come to whom it is for is told them again, since the record says so.
/// </summary>
public sealed class StormEndNotifier(
    StormRegistry storms,
    StormMembers members,
    StormCards cards,
    StormNewsDispatcher news,
    NotificationDispatcher dispatcher,
    PinnedRunbooks pinned,
    IOptionsMonitor<StormOptions> options,
    TimeProvider time) : IWatchdogJob
{
    /// <summary>Longer than the waits for other ends and for another sender: an end that was not tried by then is not told at all.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(15);

    /// <summary>An end that did not come to whom it is for is tried again for this long.</summary>
    private static readonly TimeSpan s_triedFor = TimeSpan.FromDays(1);

    public string Name => "storms";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var storm in await storms.ListAsync(cancellationToken))
        {
            await storms.SpeakAsync(storm.Id, storm.Since, (mine, keep) => NotifyAsync(mine, keep, cancellationToken), cancellationToken);
        }
    }

    /// <param name="keep">Takes what was sent before it is written on the incidents: should that fail, its alerts can still be ended.</param>
    /// <returns>Whether all of it has ended and is told.</returns>
    private async Task<bool> NotifyAsync(Storm storm, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var anyOpen = await members.AnyOpenAsync(storm, cancellationToken);
        if (storm.Asking.Count > 0 && !await AnyAsksAsync(storm, now, cancellationToken))
        {
            await dispatcher.UpdateAsync(storm.Asking, _ => cards.Answered(storm), cancellationToken);
            keep(storm = storm with { Asking = [], Alerts = storm.Ringing });
        }

        var due = await FindAsync(storm, state => state.IsFinal(), Ends, cancellationToken);
        var ends = due.Where(one => one.Key == NotificationRecipients.Closed).ToList();
        if (ends.Count > 0 && IsTimeFor(ends, anyOpen, now))
        {
            // While others ask, an alert about all of them does not end. What says that a person is needed stays until somebody ends it.
            await news.SendAsync(ends, about => cards.Ended(storm, about), anyOpen ? [] : storm.Ringing, sent => Keep([.. sent.Where(message => message.Card.Informs)]), cancellationToken);
        }

        var reports = due.Where(one => one.Key == NotificationRecipients.Report).ToList();
        if (reports.Count > 0 && (!anyOpen || now - reports.Min(one => one.Incident.ClosedAt) >= s_longestWait))
        {
            await news.SendAsync(reports, about => cards.Report(storm, about), [], Keep, cancellationToken);
        }

        var holding = await FindAsync(storm, state => state == IncidentState.Holding, Holds, cancellationToken);
        if (holding.Count > 0 && StormWait.IsOver(holding.Select(one => BeganToHold(one.Incident)), now))
        {
            await news.SendAsync(holding, about => cards.Holding(storm, about), [], Keep, cancellationToken);
        }

        var over = !anyOpen && now - storm.LastJoined > options.CurrentValue.Within && !await ReadAsync(storm, state => state.IsFinal(), Ends, cancellationToken).AnyAsync(cancellationToken);
        if (over)
        {
            await dispatcher.UpdateAsync(storm.Ringing, _ => cards.Over(storm), cancellationToken);
        }

        return over;

        void Keep(IReadOnlyList<StormSent> sent) => keep(storm = storm.Keep(sent));
    }

    /// <summary>Whether anybody can answer anything of it now.</summary>
    private async Task<bool> AnyAsksAsync(Storm storm, DateTimeOffset now, CancellationToken cancellationToken) =>
        await members.ReadAsync(storm.Id, storm.Since, line => line.State == IncidentState.AwaitingApproval, cancellationToken)
            .AnyAsync(incident => incident.OpenGate is { } gate && !gate.IsHeldBack(now), cancellationToken);

    /// <summary>What is to be told now, of the oldest incidents.</summary>
    private async Task<List<StormNews>> FindAsync(
        Storm storm, Func<IncidentState, bool> state, Func<Incident, Runbook, IEnumerable<StormNews>> untold, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return [.. (await ReadAsync(storm, state, (incident, runbook) => untold(incident, runbook).Where(one => one.IsDue(now)), cancellationToken)
            .Take(StormMembers.MaxMembers).ToListAsync(cancellationToken)).SelectMany(news => news)];
    }

    /// <returns>What each incident has to tell that has something to tell, oldest first.</returns>
    private IAsyncEnumerable<List<StormNews>> ReadAsync(
        Storm storm, Func<IncidentState, bool> state, Func<Incident, Runbook, IEnumerable<StormNews>> untold, CancellationToken cancellationToken) =>
        members.ReadAsync(storm.Id, storm.Since, line => state(line.State), cancellationToken)
            .Select(async (incident, token) => untold(incident, await pinned.OfAsync(incident, token)).ToList())
            .Where(news => news.Count > 0);

    private IEnumerable<StormNews> Ends(Incident incident, Runbook runbook)
    {
        var end = new StormNews(incident, runbook, NotificationRecipients.Closed, NotificationRecipients.Of(incident, runbook), StormCards.CallsForAPerson(incident));

        // Once somebody sees to it, nobody else has to hear that a person is needed.
        var isTriedEnough = incident.HasDelivery(end.Key) && (time.GetUtcNow() - incident.ClosedAt >= s_triedFor || (StormCards.IsUnsolved(incident) && !incident.NeedsPerson));
        if (end.To.Count > 0 && !end.IsHeard && !isTriedEnough)
        {
            yield return end;
        }

        if (NotificationRecipients.OfReport(incident, runbook) is { Count: > 0 } to && !incident.HasDelivery(NotificationRecipients.Report))
        {
            yield return new(incident, runbook, NotificationRecipients.Report, to, NeedsPerson: false);
        }
    }

    private static IEnumerable<StormNews> Holds(Incident incident, Runbook runbook) => ChangeText.InPlace(incident).Count == 0
        ? []
        : [new(incident, runbook, HoldingNotifier.Key, NotificationRecipients.OfHold(incident, runbook), NeedsPerson: false)];

    private static bool IsTimeFor(List<StormNews> ends, bool anyOpen, DateTimeOffset now) =>
        !anyOpen
        || now - ends.Min(end => end.Incident.ClosedAt) >= s_longestWait
        || (ends.Where(end => end.NeedsPerson).Select(end => end.Incident.ClosedAt!.Value).ToList() is { Count: > 0 } bad && StormWait.IsOver(bad, now));

    private static DateTimeOffset BeganToHold(Incident incident) =>
        incident.VerificationRounds.FirstOrDefault(round => round.State == IncidentState.Holding)?.At ?? incident.UpdatedAt;
}
