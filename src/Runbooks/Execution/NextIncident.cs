using Runbooks.Catalog.Templates;

namespace Runbooks.Execution;

/// <summary>Opens the incident that goes on where another one ended, by the same version of the runbook.</summary>
public sealed class NextIncident(
    IIncidentStore store,
    PinnedRunbooks pinned,
    FollowingMode mode,
    Func<IIncidentEngine?> engine,
    TimeProvider time,
    ILogger<NextIncident> logger)
{
    /// <summary>
    /// If the target has a later incident that is open or belongs to a person, that one gets the alerts and the reason. Safe to repeat: the
    /// same end opens only one.
    /// </summary>
    /// <param name="alerts">The first one names the incident.</param>
    public async Task<Incident> OpenAsync(
        Incident ended,
        Runbook runbook,
        IReadOnlyList<Alert> alerts,
        string why,
        Func<Incident, Incident> link,
        CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var candidate = link(new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = ended.RunbookId,
            RunbookHash = ended.RunbookHash,
            Title = ended.Title,
            Target = ended.Target,
            Team = ended.Team,
            Publication = ended.Publication,
            Alert = alerts[0],
            Severity = runbook.Impact.Severity,
            Mode = mode.After(ended),
            IsProposed = ended.IsProposed,
            OpenedAt = now,
            UpdatedAt = now,
        });
        candidate = With(candidate.Note(now, TimelineKind.Opened, "runbook", why), alerts, ended, now);

        // A no to the one that ended, or to another incident since, is a no on this target.
        return (await store.OpenAsync(
            candidate,
            runbook,
            latest => MakesRoom(latest, ended) ? candidate.GoOnAfter(latest, now, isCounted: latest.Id == ended.Id) : Join(latest),
            cancellationToken)).Incident;

        // The record says why, unless that incident was opened for this very end or looks at these alerts anyway.
        Incident Join(Incident latest) =>
            With(latest, alerts.Where(alert => !latest.Knows(alert)), ended, now) is var joined
            && (latest.Follows == ended.Id
                || latest.FollowUpOf == ended.Id
                || (candidate.Follows is null && alerts.All(latest.WasOpenedBy)))
                ? joined
                : joined.GoOnFor(ended, alerts, candidate.Follows, why, now);
    }

    private static bool MakesRoom(Incident latest, Incident ended) =>
        latest.Id == ended.Id || (latest.MakesRoom() && latest.Follows != ended.Id && latest.FollowUpOf != ended.Id);

    private static Incident With(Incident incident, IEnumerable<Alert> alerts, Incident ended, DateTimeOffset now)
    {
        return alerts.Aggregate(incident, Add);

        Incident Add(Incident changed, Alert alert)
        {
            var earlier = ended.Alerts.FirstOrDefault(known => known.Is(alert));
            return changed.Attach(alert, now).KeepEnd(earlier, now);
        }
    }

    /// <summary>The watchdog starts an incident that is recorded and not started. One that was open before is woken for its news.</summary>
    /// <param name="opened">May be pinned to another version than the one that ended.</param>
    public async Task StartAsync(Incident opened)
    {
        try
        {
            if (engine() is { } running)
            {
                var runbook = await pinned.OfAsync(opened, CancellationToken.None);
                await running.StartAsync(IncidentInput.Of(opened.Id, runbook), CancellationToken.None);
                await (opened.HasUntoldNews ? running.TryWakeAsync(opened, logger) : Task.CompletedTask);
            }
        }
        // The incident is on record; if the engine cannot be reached from here, the watchdog starts it.
        catch (Exception failure)
        {
            Log.WakeFailed(logger, opened.Id, failure);
        }
    }
}

/// <summary>
/// At the end of an incident an alert that still fires gets an incident of its own where it leads to other step parameters, or where it
/// began too late for the end to know of it. For the rest the closing message says that it fires.
/// </summary>
public sealed class FollowUps(IIncidentStore store, NextIncident next, TimeProvider time)
{
    public async Task<Incident> OpenAsync(Incident ended, Runbook runbook, CancellationToken cancellationToken)
    {
        // What a maintenance window suppressed is looked at as a whole when the window ends.
        if (ended.FollowedBy is not null || ended.WasSuppressed())
        {
            return ended;
        }

        // A person who stopped it has decided about everything until then; one who took it over, about everything until they close it.
        var wasTakenOver = ended.State == IncidentState.TakenOver;
        var beside = wasTakenOver ? ended.BegunSinceTakenOver() : ended.Stop is null ? ended.Others : [];
        var unseen = wasTakenOver ? [] : ended.BegunUnseen();
        var others = unseen
            .Concat(beside.Where(NeedsOwnIncident).Select(other => other.Alert!))
            .DistinctBy(AlertIdentity.Of)
            .ToList();
        if (others.Count == 0)
        {
            return ended;
        }

        var fired = ended.KnowsEndUnseen(others[0]) ? "was ended by its sender without an all-clear" : "still fired";
        var when = wasTakenOver
            ? "was closed by hand. It began after that had been taken over."
            : "ended, which did not look at it.";
        var opened = await next.OpenAsync(
            ended, runbook, others, $"{others[0].Name} {fired} on this target when incident {ended.Id} {when}", Link, cancellationToken);
        var followed = await store.UpdateAsync(ended.Id, i => i.FollowUp(opened.Id, others, time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened);
        return followed;

        bool NeedsOwnIncident(AttachedAlert other) =>
            !other.Resolved
            && other is { IsWhole: true, Alert: { } alert }
            && !ParameterComparison.AreSame(runbook, ended.Target, ended.Alert, alert);

        Incident Link(Incident incident) => incident with
        {
            FollowUpOf = ended.Id,
            Follows = others.Select(ended.BrokenFixOf).FirstOrDefault(fix => fix is not null),
        };
    }
}
