using Runbooks.Orchestration;

namespace Runbooks.Watchdog;

/// <summary>What is wrong with an open incident. Pure functions of the record, the engine's view and the time.</summary>
internal static class WatchdogRules
{
    public static IEnumerable<WatchdogFinding> Evaluate(
        Incident incident, Runbook runbook, EngineInstance? instance, WatchdogOptions options, DateTimeOffset now)
    {
        if (Engine(incident, instance, options, now) is { } engine)
        {
            return [engine];
        }

        WatchdogFinding?[] findings =
        [
            Restored(incident),
            NobodyReached(incident, options, now),
            Stuck(incident, runbook, options, now),
            WakeUpLost(incident, runbook, options, now),
            .. Unheard(incident, options, now),
        ];
        return findings.OfType<WatchdogFinding>();
    }

    private static WatchdogFinding? Engine(
        Incident incident, EngineInstance? instance, WatchdogOptions options, DateTimeOffset now) => instance switch
    {
        null => now - incident.OpenedAt > options.Grace
            ? new(Remedy.Start, "lost", "The engine did not know this incident; it was started again.")
            : null,
        { Status: EngineStatus.Failed } =>
            new(Remedy.CloseAsFailed, "engine", EndingCause.Broke($"{instance.Failure?.TrimEnd('.') ?? "the engine gives no reason"}.")),
        { Status: EngineStatus.Terminated } => new(Remedy.CloseAsFailed, "engine", EndingCause.Terminated),

        // The last activity closes the record, and that write may not be visible yet.
        { Status: EngineStatus.Completed } when now - instance.UpdatedAt > options.Grace =>
            new(Remedy.CloseAsFailed, "engine", EndingCause.EndedWithoutClosing),
        _ => null,
    };

    private static WatchdogFinding? Restored(Incident incident)
    {
        if (incident.RestoredAt is not { } at)
        {
            return null;
        }

        var key = $"restored-{at.ToUnixTimeSeconds()}";
        return IncidentPager.IsHeard(incident, key) ? null : new(Remedy.Page, key, Incident.RestoredText);
    }

    /// <summary>
    /// Pages of the workflow that nobody has heard. The workflow sends them first, so its channels get their time; a later page says what
    /// time it is about. Pages of a storm are sent together, so they keep their words.
    /// </summary>
    private static IEnumerable<WatchdogFinding> Unheard(Incident incident, WatchdogOptions options, DateTimeOffset now) =>
        from page in incident.Pages
        where (incident.InStorm || now - page.At > options.Grace) && !IncidentPager.IsHeard(incident, page.Trouble)
        let message = incident.InStorm ? page.Message : $"At {GateText.Clock(page.At, now)}: {page.Message}"
        select new WatchdogFinding(Remedy.Page, page.Trouble, message);

    private static WatchdogFinding? NobodyReached(Incident incident, WatchdogOptions options, DateTimeOffset now) =>
        incident.OpenGate is { } gate
        && now - (incident.InStorm ? ApprovalSchedule.ToldBy(gate) : gate.OpenedAt) > options.Grace
        && !Reach.IsHeard(incident.Deliveries.Where(delivery => delivery.IsOf(gate) && !gate.IsStarter(delivery.Contact)))
            ? new(Remedy.Page, NotificationUpdater.UnheardOf(gate.Id), $"As far as is known, this question has reached nobody: {gate.Question}")
            : null;

    /// <summary>
    /// While the automation or a responder is at work: something worse was reported, or another incident on the target goes on here, and no
    /// question told of it. An open question tells those whom it asks.
    /// </summary>
    public static IEnumerable<WatchdogFinding> UrgentNews(Incident incident) =>
        from news in incident.State.IsAtWork() || incident.IsOwnedByResponder() ? incident.UrgentSinceAsked() : []
        where !IncidentPager.IsHeard(incident, news.Key)
        select new WatchdogFinding(Remedy.Page, news.Key, news.Text) { IsWorst = Incident.IsSeverity(news) };

    private static WatchdogFinding? Stuck(Incident incident, Runbook runbook, WatchdogOptions options, DateTimeOffset now)
    {
        var (since, due) = IncidentProgress.Of(incident, runbook, now);
        return now - due > options.StuckAfter
            ? new(Remedy.Page, $"stuck-{since.ToUnixTimeSeconds()}", $"No progress since {GateText.Clock(since, now)}. It stands at: {EndingText.Headline(incident)}.")
            : null;
    }

    private static WatchdogFinding? WakeUpLost(Incident incident, Runbook runbook, WatchdogOptions options, DateTimeOffset now)
    {
        if (IncidentProgress.Unread(incident) is { } recordedAt && now - recordedAt > options.Grace)
        {
            return new(Remedy.Wake, "wake", "What was recorded has not been acted on yet.");
        }

        var waitsByWrongClock = Clocks.IsAhead(incident.OpenGate?.OpenedAt, now)
            || (IncidentProgress.HasTimesAhead(incident, now) && now - IncidentProgress.Of(incident, runbook, now).Due > options.Grace);
        return waitsByWrongClock ? new(Remedy.Wake, "wake", "It waits by a clock that was ahead.") : null;
    }
}

/// <param name="Key">Names the trouble, which pages once.</param>
internal sealed record WatchdogFinding(Remedy Remedy, string Key, string Message)
{
    /// <summary>It is worse than everything that people were told of. Even in a storm it is sent alone and at once.</summary>
    public bool IsWorst { get; init; }
}

internal enum Remedy
{
    Wake,

    /// <summary>The engine does not know it: start it. What was done is recorded and is not done twice.</summary>
    Start,

    Page,

    /// <summary>Its workflow is over without an end: page, then close it, so that the next alert opens a new incident.</summary>
    CloseAsFailed,
}

internal static class IncidentProgress
{
    public static (DateTimeOffset Since, DateTimeOffset Due) Of(Incident incident, Runbook runbook, DateTimeOffset now)
    {
        var since = Movements(incident).Where(at => !Clocks.IsAhead(at, now)).Append(incident.OpenedAt).Max();
        return (since, incident.State switch
        {
            _ when incident.WaitsUntil > since => incident.WaitsUntil.Value,
            IncidentState.AwaitingApproval when incident.OpenGate is { } gate => Next(gate),
            IncidentState.Holding when runbook.Mitigation.HoldUntil is { } hold => since + LongestPause(hold, incident),
            IncidentState.Verifying when runbook.Mitigation.Verify is { } verify => since + verify.Every,
            IncidentState.Mitigating => since + Longest(runbook.StepsOf(Phase.Mitigation)),
            IncidentState.Resolving => since + Longest(runbook.StepsOf(Phase.Resolution)),
            IncidentState.Diagnosing when incident is { IsWaitingForOther: true, SuppressedBy.Until: var until } => until,
            IncidentState.Diagnosing when incident.WatchedUntil > since => incident.WatchedUntil.Value,
            IncidentState.Diagnosing when incident.IsWatched => since + (runbook.Mitigation.Verify?.Every ?? Verify.DefaultEvery),
            _ => since,
        });
    }

    public static bool HasTimesAhead(Incident incident, DateTimeOffset now) => Movements(incident).Any(at => Clocks.IsAhead(at, now));

    /// <summary>When a decision, a stop or a recovery was recorded that the workflow has not acted on; null when there is none.</summary>
    public static DateTimeOffset? Unread(Incident incident)
    {
        // A stop that is being carried out has been read. A step that runs may finish first.
        if (incident is { Stop: { } stop, UndoBeganAt: null })
        {
            return incident.Steps.All(step => step.FinishedAt is not null) ? stop.At : null;
        }

        if (incident.State != IncidentState.AwaitingApproval)
        {
            return null;
        }

        if (incident.OpenGate is { } gate)
        {
            return UnreadWhileAsking(incident, gate);
        }

        return incident.Gates is [.., var last] && !(last.ClosedAt < incident.UndoBeganAt) ? last.ClosedAt : null;
    }

    private static DateTimeOffset? UnreadWhileAsking(Incident incident, Gate gate)
    {
        var isClaimChecked = incident.CheckedClaim is not null && !Incident.RecoveredBeforeActing(incident);
        if (!incident.ClaimsRecovery || isClaimChecked)
        {
            return Next(gate);
        }

        return incident.HeldUntil is { } held && held > incident.ClaimedAt ? held : incident.ClaimedAt;
    }

    /// <summary>Messages and further alerts do not count: a page about standing still must not hide that it stands still.</summary>
    private static IEnumerable<DateTimeOffset> Movements(Incident incident) =>
        incident.Timeline.Where(entry => entry.Kind is not (TimelineKind.Message or TimelineKind.Alert)).Select(entry => entry.At)
            .Concat(incident.Findings.Concat(incident.Verification).Select(finding => finding.At))
            .Concat(incident.Steps.Select(step => step.FinishedAt ?? step.StartedAt));

    private static TimeSpan LongestPause(Hold hold, Incident incident)
    {
        var wasPaged = incident.HasDelivery(DuePage.KeyOf(IncidentStory.LeaseTrouble));
        var longest = wasPaged ? IncidentStory.LongestPauseOfOldLease : IncidentStory.LongestLeasePause;
        return hold.Every > longest ? hold.Every : longest;
    }

    private static DateTimeOffset Next(Gate gate) =>
        gate.Reminders.Select(reminder => reminder.At).Append(gate.ExpiresAt).Min();

    private static TimeSpan Longest(IReadOnlyList<StepSpec> steps) =>
        steps.Select(step => Longest(step)).Append(TimeSpan.Zero).Max();

    private static TimeSpan Longest(StepSpec step)
    {
        var longestDelay = step.Retry.Delay * Math.Pow(2, step.Retry.Attempts - 1);
        return step.Retry.Attempts * (step.Timeout + longestDelay);
    }
}

/// <summary>Incidents that were healthy when last checked. It only saves reads: a new process checks everything once.</summary>
internal sealed class RecentlyHealthyCache(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (DateTimeOffset UpdatedAt, long LookedAt)> _known = new(StringComparer.Ordinal);

    public bool Holds(IncidentSummary incident, TimeSpan length) =>
        _known.TryGetValue(incident.Id, out var known) && known.UpdatedAt == incident.UpdatedAt && time.GetElapsedTime(known.LookedAt) < length;

    public void Note(IncidentSummary incident) => _known[incident.Id] = (incident.UpdatedAt, time.GetTimestamp());

    public void Forget(TimeSpan age)
    {
        foreach (var old in _known.Where(known => time.GetElapsedTime(known.Value.LookedAt) > age))
        {
            _known.TryRemove(old);
        }
    }
}
