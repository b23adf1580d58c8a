using Runbooks.Approvals;
using Runbooks.Notifications.Storms;
using Runbooks.Orchestration;
using Runbooks.Telemetry;

namespace Runbooks.Watchdog;

/// <summary>Checks every open incident, and every end that nobody heard of. It wakes, starts again, or pages.</summary>
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
        counted &= await logger.TryPartAsync("ended incidents", token => CheckEachAsync(ended, counts, summary => summary.IsEndUnfinished || IsUnheard(summary) || IsOwned(summary), CheckEndedAsync, token), cancellationToken);
        await logger.TryPartAsync("pages of storms", pager.PageStormsAsync, cancellationToken);
        if (counted)
        {
            gauges.Show(counts);
        }

        _recentlyHealthy.Forget(s_remember);
    }

    private async Task CheckEachAsync(
        IncidentQuery query,
        StoreCounts counts,
        Func<IncidentSummary, bool> which,
        Func<Incident, CancellationToken, Task<bool>> checkAsync,
        CancellationToken cancellationToken)
    {
        await foreach (var page in store.ListAllAsync(query, cancellationToken).Select(counts.Add).Where(which).Chunk(PageSize).WithCancellation(cancellationToken))
        {
            await BoundedConcurrency.ForEachAsync(page, MaxAtOnce, summary => logger.TryPartAsync(summary.Id, token => CheckIncidentAsync(summary, checkAsync, token), cancellationToken));
        }
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

    /// <returns>Whether nothing is wrong with it.</returns>
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
            if (!incident.InStorm || !news.IsWorst || incident.HasDelivery(DuePage.KeyOf(news.Key)) || await storms.IsWorstAsync(incident, cancellationToken))
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
        // A storm tells of its ends, and goes on until they are heard.
        if (incident.InStorm || await pager.PageOnceAsync(incident, finding.Key, $"{finding.Message} Nothing more happens by itself: what was done stays as it is.", cancellationToken, ending: End))
        {
            await FinishAsync(await store.UpdateAsync(incident.Id, End, cancellationToken), runbook, told: 0, cancellationToken);
        }

        Incident End(Incident open) => open.State.IsFinal() ? open
            : open.End(IncidentState.Failed, finding.Message, time.GetUtcNow(), new() { IsInconclusive = true }) with { IsEndUnfinished = true };
    }

    /// <summary>If it is interrupted, no activity does it again; the next round of the watchdog does.</summary>
    /// <param name="told">How many outcomes of steps have been told. If another one is known by now, the next round tells it.</param>
    private async Task FinishAsync(Incident ended, Runbook runbook, int told, CancellationToken cancellationToken)
    {
        await finisher.FinishAsync(ended, runbook, isTold: true, cancellationToken);
        await store.UpdateAsync(ended.Id, i => i.IsEndUnfinished && i.OutcomesToTell.Count() == told ? i with { IsEndUnfinished = false } : i, cancellationToken);
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

        // Whoever acknowledged it, or had it tried again, is given the time to tell of it. What nobody was needed for may be tried again too.
        if (incident.IsAcknowledgementUnshown)
        {
            await (time.GetUtcNow() - (incident.Attention?.AcknowledgedAt ?? incident.UpdatedAt) > options.Value.Grace ? verbs.ShowAcknowledgedAsync(incident, cancellationToken) : Task.CompletedTask);
            return isHeard;
        }

        if (incident.ClosedByHand is { } closing)
        {
            // Whoever closed it is given the time too. Nobody is called about an end that is closed.
            await (closing.IsUnfinished && time.GetUtcNow() - closing.At > options.Value.Grace ? verbs.FinishClosingAsync(incident, cancellationToken) : Task.CompletedTask);
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
        var told = incident.Deliveries.Where(delivery => (delivery.At >= incident.ClosedAt || delivery.IsUnder(DuePage.KeyOf("engine"))) && NotificationUpdater.CallsForAPerson(delivery)).ToList();

        // A storm tells of its ends in one message and tries that again; only where it says nothing at all does each speak for itself.
        var (isTold, silence) = incident.InStorm ? (told.Count > 0, StormEndNotifier.LongestSilence) : (Reach.IsEnough(told), options.Value.Grace);
        return isTold || incident.Attention?.AcknowledgedAt is not null
            || time.GetUtcNow() - incident.ClosedAt < silence
            || await pager.PageOnceAsync(incident, "ended", incident.Reason ?? EndingText.Headline(incident), cancellationToken, alone: true);
    }
}
