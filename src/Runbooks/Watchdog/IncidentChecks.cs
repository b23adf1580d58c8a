using Runbooks.Approvals;
using Runbooks.Notifications.Storms;
using Runbooks.Orchestration;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

internal sealed class IncidentChecks(
    IIncidentStore store,
    IIncidentEngine engine,
    PinnedRunbooks pinned,
    IncidentPager pager,
    StormRegistry storms,
    StoreGauges gauges,
    EndFinisher finisher,
    IncidentVerbService verbs,
    IOptions<WatchdogOptions> options,
    TimeProvider time,
    ILogger<IncidentChecks> logger) : IWatchdogJob
{
    /// <summary>How long the page about a failed end that nobody heard of is tried again.</summary>
    private static readonly TimeSpan s_remember = TimeSpan.FromDays(1);

    private const int PageSize = 500;

    /// <summary>Incidents checked at the same time: thousands that wait have to be checked within the minute.</summary>
    private const int MaxAtOnce = 8;

    private readonly RecentlyHealthyCache _recentlyHealthy = new(time);

    public string Name => "incidents";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var counts = new StoreCounts(time.GetUtcNow());
        var open = new IncidentQuery(Open: true, Limit: PageSize);
        var ended = new IncidentQuery(Unfinished: true, Limit: PageSize);
        var counted = await logger.TryPartAsync("open incidents", token => CheckEachAsync(open, counts, _ => true, CheckOpenAsync, token), cancellationToken);
        counted &= await logger.TryPartAsync("ended incidents", token => CheckEachAsync(ended, counts, NeedsCheck, CheckEndedAsync, token), cancellationToken);
        await logger.TryPartAsync("pages of storms", pager.PageStormsAsync, cancellationToken);
        if (counted)
        {
            gauges.Show(counts);
        }

        _recentlyHealthy.Forget(s_remember);

        bool NeedsCheck(IncidentSummary summary) => summary.IsEndUnfinished || IsUnheard(summary) || IsOwned(summary);
    }

    private async Task CheckEachAsync(
        IncidentQuery query,
        StoreCounts counts,
        Func<IncidentSummary, bool> which,
        Func<Incident, CancellationToken, Task<bool>> checkAsync,
        CancellationToken cancellationToken)
    {
        var pages = store.ListAllAsync(query, cancellationToken).Select(counts.Add).Where(which).Chunk(PageSize);
        await foreach (var page in pages.WithCancellation(cancellationToken))
        {
            await BoundedConcurrency.ForEachAsync(page, MaxAtOnce, TryCheckAsync);
        }

        Task TryCheckAsync(IncidentSummary summary) =>
            logger.TryPartAsync(summary.Id, token => CheckIncidentAsync(summary, checkAsync, token), cancellationToken);
    }

    private bool IsUnheard(IncidentSummary ended) =>
        ended.State is IncidentState.Failed or IncidentState.Expired && time.GetUtcNow() - ended.ClosedAt < s_remember;

    /// <summary>News of its target goes to the responder who took it over, and to nobody else.</summary>
    private bool IsOwned(IncidentSummary ended) =>
        ended.State == IncidentState.TakenOver && time.GetUtcNow() - ended.ClosedAt < Incident.LongestOwnership;

    private async Task CheckIncidentAsync(
        IncidentSummary summary, Func<Incident, CancellationToken, Task<bool>> checkAsync, CancellationToken cancellationToken)
    {
        // An incident that has just changed is checked every time: that is when a start or a wake-up gets lost.
        var settled = time.GetUtcNow() - summary.UpdatedAt > options.Value.Grace;
        if (settled && _recentlyHealthy.Holds(summary, options.Value.CalmFor))
        {
            return;
        }

        if (await store.FindAsync(summary.Id, cancellationToken) is { } incident && await checkAsync(incident, cancellationToken) && settled)
        {
            _recentlyHealthy.Note(summary);
        }
    }

    private async Task<bool> CheckOpenAsync(Incident incident, CancellationToken cancellationToken)
    {
        if (incident.State.IsFinal())
        {
            return true;
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var instance = await engine.FindAsync(incident.Id, cancellationToken);
        var findings = WatchdogRules.Evaluate(incident, runbook, instance, options.Value, time.GetUtcNow()).ToList();
        findings.AddRange(await FindUrgentNewsAsync(incident, cancellationToken));
        foreach (var finding in findings)
        {
            Instruments.WatchFindings.Add(
                1,
                Instruments.Tag(Attributes.Runbook, incident.RunbookId),
                Instruments.Tag(Attributes.Remedy, CamelCase.Of(finding.Remedy)));
            Log.WatchdogFound(logger, incident.Id, finding.Remedy.ToString(), finding.Message);
            await ApplyRemedyAsync(incident, runbook, finding, cancellationToken);
        }

        return findings.Count == 0;
    }

    /// <summary>In a storm the shared message says how bad it is, so only what is worse than everything told before is sent apart.</summary>
    private async Task<IReadOnlyList<WatchdogFinding>> FindUrgentNewsAsync(Incident incident, CancellationToken cancellationToken)
    {
        var untold = new List<WatchdogFinding>();
        foreach (var news in WatchdogRules.UrgentNews(incident))
        {
            var isSharedInStorm = incident.InStorm && news.IsWorst && !incident.HasDelivery(DuePage.KeyOf(news.Key));
            if (!isSharedInStorm || await storms.IsWorstAsync(incident, cancellationToken))
            {
                untold.Add(news);
            }
        }

        return untold;
    }

    private Task ApplyRemedyAsync(Incident incident, Runbook runbook, WatchdogFinding finding, CancellationToken cancellationToken) => finding.Remedy switch
    {
        Remedy.Wake => engine.TryWakeAsync(incident, logger),
        Remedy.Start => engine.StartAsync(IncidentInput.Of(incident.Id, runbook), cancellationToken),
        Remedy.CloseAsFailed => CloseAsFailedAsync(incident, runbook, finding, cancellationToken),
        _ => pager.PageOnceAsync(incident, finding.Key, finding.Message, cancellationToken, alone: finding.IsWorst),
    };

    private async Task CloseAsFailedAsync(Incident incident, Runbook runbook, WatchdogFinding finding, CancellationToken cancellationToken)
    {
        // A storm tells the ends of its incidents, and repeats them until they are heard.
        if (incident.InStorm || await PageAsync())
        {
            await FinishAsync(await store.UpdateAsync(incident.Id, End, cancellationToken), runbook, told: 0, cancellationToken);
        }

        Task<bool> PageAsync() => pager.PageOnceAsync(
            incident,
            finding.Key,
            $"{finding.Message} Nothing more happens by itself: what was done stays as it is.",
            cancellationToken,
            ending: End);

        Incident End(Incident open)
        {
            if (open.State.IsFinal())
            {
                return open;
            }

            var ended = open.End(IncidentState.Failed, finding.Message, time.GetUtcNow(), new() { IsInconclusive = true });
            return ended with { IsEndUnfinished = true };
        }
    }

    /// <summary>If it is interrupted, no activity does it again; the next round of the watchdog does.</summary>
    /// <param name="told">How many outcomes of steps have been told. If another one is known by now, the next round tells it.</param>
    private async Task FinishAsync(Incident ended, Runbook runbook, int told, CancellationToken cancellationToken)
    {
        await finisher.FinishAsync(ended, runbook, isTold: true, cancellationToken);
        await store.UpdateAsync(
            ended.Id,
            current => current.IsEndUnfinished && current.OutcomesToTell.Count() == told ? current with { IsEndUnfinished = false } : current,
            cancellationToken);
    }

    private async Task<bool> CheckEndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var isHeard = true;
        if (incident.IsEndUnfinished)
        {
            var outcomes = incident.OutcomesToTell.ToList();
            foreach (var page in outcomes)
            {
                isHeard &= await pager.PageOnceAsync(incident, page.Trouble, page.Message, cancellationToken, alone: true);
            }

            // Somebody may have acknowledged or closed it meanwhile, and the pages are new.
            incident = await store.GetAsync(incident.Id, cancellationToken);
            if (isHeard)
            {
                await FinishAsync(incident, await pinned.OfAsync(incident, cancellationToken), outcomes.Count, cancellationToken);
            }
        }

        // The host that acknowledged it or tried it again gets the time to show that. An end that needed nobody can be tried again too.
        if (incident.IsAcknowledgementUnshown)
        {
            if (IsPastGrace(incident.Attention?.AcknowledgedAt ?? incident.UpdatedAt))
            {
                await verbs.ShowAcknowledgedAsync(incident, cancellationToken);
            }

            return isHeard;
        }

        // Nobody is called about an end that is closed. The host that closed it gets the time to finish that.
        if (incident.ClosedByHand is { } closing)
        {
            if (closing.IsUnfinished && IsPastGrace(closing.At))
            {
                await verbs.FinishClosingAsync(incident, cancellationToken);
            }

            return isHeard;
        }

        if (incident.State == IncidentState.TakenOver)
        {
            foreach (var news in await FindUrgentNewsAsync(incident, cancellationToken))
            {
                isHeard &= await pager.PageOnceAsync(incident, news.Key, news.Message, cancellationToken, alone: true);
            }

            return isHeard;
        }

        // The page about the outcomes tells of the end too.
        if (!isHeard)
        {
            return false;
        }

        // Nobody is called about an end that somebody sees to, and a report that did not arrive calls nobody.
        var enginePage = DuePage.KeyOf("engine");
        var told = incident.Deliveries
            .Where(delivery => delivery.At >= incident.ClosedAt || delivery.IsUnder(enginePage))
            .Where(NotificationUpdater.CallsForAPerson)
            .ToList();

        // A storm tells its ends in one message and repeats that. Only where it tells nothing at all does each incident page.
        var (isTold, silence) = incident.InStorm ? (told.Count > 0, StormEndNotifier.LongestSilence) : (Reach.IsEnough(told), options.Value.Grace);
        return isTold
            || incident.Attention?.AcknowledgedAt is not null
            || time.GetUtcNow() - incident.ClosedAt < silence
            || await pager.PageOnceAsync(incident, "ended", incident.Reason ?? EndingText.Headline(incident), cancellationToken, alone: true);
    }

    private bool IsPastGrace(DateTimeOffset at) => time.GetUtcNow() - at > options.Value.Grace;
}
