using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications.Storms;
using Runbooks.Storage;

namespace Runbooks.Watchdog;

/// <summary>
/// Looks at every open incident from outside its workflow: silence is never success. It wakes, starts again, or pages;
/// hosts call it every minute.
/// </summary>
public sealed class DeadManWatch(
    IIncidentStore store,
    IIncidentEngine engine,
    PinnedRunbooks runbooks,
    Pager pager,
    HealthWatch health,
    StormEnds stormEnds,
    IOptions<WatchOptions> options,
    TimeProvider time,
    ILogger<DeadManWatch> logger)
{
    /// <summary>A failed end that nobody heard of is retried for this long.</summary>
    private static readonly TimeSpan Remember = TimeSpan.FromDays(1);

    private readonly Calm _calm = new();

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (!await health.LookAsync(cancellationToken))
        {
            // Without a store or an engine nothing can be judged, and every incident would look lost.
            return;
        }

        await TellStormEndsAsync(cancellationToken);
        await foreach (var open in store.ListAllAsync(new IncidentQuery(Open: true, Limit: 500), cancellationToken))
        {
            await LookAtAsync(open, WorryAboutOpenAsync, cancellationToken);
        }

        foreach (var state in (IncidentState[])[IncidentState.Failed, IncidentState.Expired])
        {
            var page = await store.ListAsync(new IncidentQuery(state, Limit: 50), cancellationToken);
            foreach (var ended in page.Items.Where(item => time.GetUtcNow() - item.ClosedAt < Remember))
            {
                await LookAtAsync(ended, WorryAboutEndedAsync, cancellationToken);
            }
        }

        _calm.Forget(time.GetUtcNow() - Remember);
    }

    private async Task TellStormEndsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await stormEnds.TellAsync(cancellationToken);
        }
#pragma warning disable CA1031 // Whatever keeps it from speaking, the incidents are looked at; those that failed unheard page by themselves.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.WatchFailed(logger, "storms", failure);
        }
    }

    private async Task LookAtAsync(IncidentSummary summary, Func<Incident, CancellationToken, Task<bool>> lookAsync, CancellationToken cancellationToken)
    {
        // What has just changed is looked at every time: that is when a start or a wake-up gets lost.
        var settled = time.GetUtcNow() - summary.UpdatedAt > options.Value.Grace;
        if (settled && _calm.Holds(summary, options.Value.CalmFor, time.GetUtcNow()))
        {
            return;
        }

        try
        {
            if (await store.FindAsync(summary.Id, cancellationToken) is { } incident && await lookAsync(incident, cancellationToken) && settled)
            {
                _calm.Note(summary, time.GetUtcNow());
            }
        }
#pragma warning disable CA1031 // One incident that cannot be looked at must not keep the watch from the others.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.WatchFailed(logger, summary.Id, failure);
        }
    }

    /// <returns>Whether all is well with it.</returns>
    private async Task<bool> WorryAboutOpenAsync(Incident incident, CancellationToken cancellationToken)
    {
        if (incident.State.IsFinal())
        {
            return true;
        }

        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        var instance = await engine.FindAsync(incident.Id, cancellationToken);
        var worries = WatchRules.Judge(incident, runbook, instance, options.Value, time.GetUtcNow()).ToList();
        foreach (var worry in worries)
        {
            Log.Worried(logger, incident.Id, worry.Remedy.ToString(), worry.Message);
            await HelpAsync(incident, runbook, worry, cancellationToken);
        }

        return worries.Count == 0;
    }

    private Task HelpAsync(Incident incident, Runbook runbook, Worry worry, CancellationToken cancellationToken) => worry.Remedy switch
    {
        Remedy.Wake => engine.TryWakeAsync(incident, logger),
        Remedy.Start => engine.StartAsync(IncidentInput.Of(incident.Id, runbook), cancellationToken),
        Remedy.Bury => BuryAsync(incident, worry, cancellationToken),
        _ => pager.PageOnceAsync(incident, worry.Key, worry.Message, cancellationToken),
    };

    private async Task BuryAsync(Incident incident, Worry worry, CancellationToken cancellationToken)
    {
        if (await pager.PageOnceAsync(incident, worry.Key, $"{worry.Message} Nothing more happens by itself: what was done stays as it is.", cancellationToken))
        {
            await store.UpdateAsync(incident.Id, i => i.End(IncidentState.Failed, worry.Message, [], null, TimeSpan.Zero, time.GetUtcNow()), cancellationToken);
        }
    }

    private async Task<bool> WorryAboutEndedAsync(Incident incident, CancellationToken cancellationToken) =>
        incident.Deliveries.Any(delivery => delivery.Reached && delivery.At >= incident.ClosedAt)
        || incident.Deliveries.Any(delivery => delivery.Reached && delivery.Key.StartsWith(Pager.KeyOf("engine"), StringComparison.Ordinal))
        || time.GetUtcNow() - incident.ClosedAt < options.Value.Grace
        || await pager.PageOnceAsync(incident, "ended", incident.Reason ?? IncidentWords.Of(incident.State), cancellationToken);
}

/// <summary>The watch for hosts without timers of their own.</summary>
/// <param name="turn">Null where no other process watches the same store.</param>
internal sealed class WatchLoop(
    DeadManWatch watch, HealthWatch health, Retention retention, TimeProvider time, ILogger<WatchLoop> logger, WatchTurn? turn = null) : BackgroundService
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        var purgeAt = time.GetUtcNow();
        while (await minute.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                // A process that cannot look must not keep the turn from one that can.
                if (turn is not null && !(await health.LookAsync(stoppingToken) && await turn.TakeAsync(stoppingToken)))
                {
                    continue;
                }

                await watch.LookAsync(stoppingToken);
                if (time.GetUtcNow() >= purgeAt)
                {
                    await retention.RunAsync(stoppingToken);
                    purgeAt = time.GetUtcNow() + Day;
                }
            }
#pragma warning disable CA1031 // The watch outlives whatever it watches.
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.WatchFailed(logger, FallbackContact.SystemId, failure);
            }
        }
    }
}
