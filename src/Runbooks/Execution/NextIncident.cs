using Runbooks.Catalog.Templates;

namespace Runbooks.Execution;

/// <summary>Opens the incident that goes on where another one ended: on the same target, by the same version of the runbook.</summary>
public sealed class NextIncident(IIncidentStore store, PinnedRunbooks pinned, FollowingMode mode, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<NextIncident> logger)
{
    /// <summary>
    /// Opens it, unless the target has a later incident that is open or belongs to a person: that one then gets the alerts, and says why.
    /// Safe to repeat: one that was opened for the same end is not opened again.
    /// </summary>
    /// <param name="alerts">What it is about; the first alert names it.</param>
    /// <param name="why">How its record begins.</param>
    /// <param name="link">Says in which way it goes on from the one that ended.</param>
    public async Task<Incident> OpenAsync(
        Incident ended, Runbook runbook, IReadOnlyList<Alert> alerts, string why, Func<Incident, Incident> link, CancellationToken cancellationToken)
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

        // A no to the one that ended, or to another incident in between, is a no on this target.
        return (await store.OpenAsync(
            candidate,
            runbook,
            latest => MakesRoom(latest, ended) ? candidate.GoOnAfter(latest, now, isCounted: latest.Id == ended.Id) : Join(latest),
            cancellationToken)).Incident;

        // Whoever has that one is told why, unless it was opened for this very end or looks at these alerts anyway.
        Incident Join(Incident latest) =>
            With(latest, alerts.Where(alert => !latest.Knows(alert)), ended, now) is var joined
            && (latest.Follows == ended.Id || latest.FollowUpOf == ended.Id || (candidate.Follows is null && alerts.All(latest.WasOpenedBy)))
                ? joined
                : joined.GoOnFor(ended, alerts, candidate.Follows, why, now);
    }

    private static bool MakesRoom(Incident latest, Incident ended) =>
        latest.Id == ended.Id || (latest.MakesRoom() && latest.Follows != ended.Id && latest.FollowUpOf != ended.Id);

    private static Incident With(Incident incident, IEnumerable<Alert> alerts, Incident ended, DateTimeOffset now) =>
        alerts.Aggregate(incident, (changed, alert) => changed.Attach(alert, now).KeepEnd(ended.Alerts.FirstOrDefault(known => known.Is(alert)), now));

    /// <summary>After the one that ended knows of it: what is on record and not started is started by the watchdog. One that was open already is woken where it has something to tell.</summary>
    /// <param name="opened">It may have been there before, and be pinned to another version than the one that ended.</param>
    public async Task StartAsync(Incident opened)
    {
        try
        {
            if (engine() is { } running)
            {
                await running.StartAsync(IncidentInput.Of(opened.Id, await pinned.OfAsync(opened, CancellationToken.None)), CancellationToken.None);
                await (opened.HasUntoldNews ? running.TryWakeAsync(opened, logger) : Task.CompletedTask);
            }
        }
        // The incident is on record; an engine that cannot be reached from here gets it from the watchdog.
        catch (Exception failure)
        {
            Log.WakeFailed(logger, opened.Id, failure);
        }
    }
}

/// <summary>
/// Looks at what still fires when an incident ends. Where the runbook would ask or do something else for it, because
/// its own parameters come out differently, or where it began too late for the end to know of it, it gets an incident of its own;
/// otherwise the closing message says that it fires.
/// </summary>
public sealed class FollowUps(IIncidentStore store, NextIncident next, TimeProvider time)
{
    /// <returns>The ended incident as it is now.</returns>
    public async Task<Incident> OpenAsync(Incident ended, Runbook runbook, CancellationToken cancellationToken)
    {
        // What a maintenance window suppressed is looked at when that ends, whole.
        if (ended.FollowedBy is not null || ended.WasSuppressed())
        {
            return ended;
        }

        // Whoever stopped it, or took it over, has decided about what was there then; whoever took it over, until they close it, about all that comes.
        var wasTakenOver = ended.State == IncidentState.TakenOver;
        var beside = wasTakenOver ? ended.BegunSinceTakenOver() : ended.Stop is null ? ended.Others : [];
        var others = (wasTakenOver ? [] : ended.BegunUnseen())
            .Concat(beside
                .Where(other => !other.Resolved && other is { IsWhole: true, Alert: { } alert } && !ParameterComparison.AreSame(runbook, ended.Target, ended.Alert, alert))
                .Select(other => other.Alert!))
            .DistinctBy(AlertIdentity.Of)
            .ToList();
        if (others.Count == 0)
        {
            return ended;
        }

        var opened = await next.OpenAsync(
            ended,
            runbook,
            others,
            $"{others[0].Name} {(ended.KnowsEndUnseen(others[0]) ? "was ended by its sender without an all-clear" : "still fired")} on this target when incident {ended.Id} {(wasTakenOver ? "was closed by hand. It began after that had been taken over." : "ended, which did not look at it.")}",
            incident => incident with { FollowUpOf = ended.Id, Follows = others.Select(ended.BrokenFixOf).FirstOrDefault(fix => fix is not null) },
            cancellationToken);
        var followed = await store.UpdateAsync(ended.Id, i => i.FollowUp(opened.Id, others, time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened);
        return followed;
    }
}

/// <summary>
/// Checks whether a verified fix still holds, or whether the cause of one that was taken back is still gone, when an alert comes in shortly after
/// it. Counter-based alerts fire on for a while after a good fix, so the alert alone proves nothing; a check that fails does, and opens a new incident at once. One that cannot be
/// answered is asked again; where the alert still fires when the window ends, a new incident opens then.
/// </summary>
public sealed class SettleWindow(IIncidentStore store, CheckRunner checks, RunHistoryStore histories, NextIncident next, TimeProvider time)
{
    /// <returns>Healthy while nothing says that the fix does not hold, and unclear where nothing says that it does; otherwise a new incident is open.</returns>
    public async Task<RecheckResult> RecheckAsync(Incident closed, Runbook runbook, RecheckRequest request, CancellationToken cancellationToken)
    {
        // Before the checks are asked: an alert that comes meanwhile must not be taken for one that they have answered.
        var current = await store.UpdateAsync(closed.Id, i => i.SettlesAt is null ? i : i with { WakeEvent = request.WakeEvent }, cancellationToken);
        if (current.SettlesAt is not { } settles || !current.FiresUnseen())
        {
            // There is no window, or nothing came that is not over: what ends after a good fix is no recurrence.
            return new RecheckResult(true, "", null);
        }

        var question = SettleQuestion.Of(current, runbook, request.Checks);
        var answers = await checks.AskAllAsync(closed, runbook.Diagnosis.Where(spec => question.Asks(spec.Name)), cancellationToken);
        var findings = current.SinceFiring([.. answers.Select(finding => question.OfNow(finding, current.ActedAt, time.GetUtcNow()))], time.GetUtcNow());
        if (question.Failing(findings) is { Count: > 0 } failing)
        {
            if (question.IsAboutFix(failing))
            {
                await histories.MarkRecurredAsync(closed, runbook, cancellationToken);
            }

            return await ReopenAsync(closed, runbook, Reopening.Of(question, failing, current), failing, cancellationToken);
        }

        var unknown = question.Unknown(findings);
        if (unknown.Count == 0)
        {
            return new RecheckResult(true, "", null);
        }

        return time.GetUtcNow() < settles
            ? new RecheckResult(true, Incident.Summarize(unknown), null) { IsUnclear = true }
            : await ReopenAsync(closed, runbook, Reopening.NotKnown(question, unknown, current), unknown, cancellationToken);
    }

    /// <param name="because">What the checks said.</param>
    private async Task<RecheckResult> ReopenAsync(
        Incident closed, Runbook runbook, Reopening reopening, IReadOnlyList<Finding> because, CancellationToken cancellationToken)
    {
        // More may have come while the checks were asked.
        var current = await store.GetAsync(closed.Id, cancellationToken);
        var opened = await next.OpenAsync(current, runbook, current.FiringAgain(), reopening.Why, incident => reopening.Link(incident, closed), cancellationToken);
        await store.UpdateAsync(closed.Id, i => i.EndSettling($"{reopening.Ended}; incident {opened.Id} goes on.", time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened);
        return new RecheckResult(false, Incident.Summarize(because), null);
    }
}

/// <summary>Why a new incident opens in the settle window of one that was resolved.</summary>
/// <param name="Why">How the new one's record begins.</param>
/// <param name="Ended">What the ended one says about it.</param>
/// <param name="IsRecurrence">What was done there did not last; otherwise it was not for this, or nobody knows.</param>
internal sealed record Reopening(string Why, string Ended, bool IsRecurrence)
{
    public Incident Link(Incident opened, Incident closed)
    {
        var started = opened with { StartedBy = closed.StartedBy };
        return IsRecurrence ? started with { Follows = closed.Id } : started with { FollowUpOf = closed.Id };
    }

    /// <param name="failing">What the checks that fail said.</param>
    public static Reopening Of(SettleQuestion question, IReadOnlyList<Finding> failing, Incident closed)
    {
        var failed = Incident.Summarize(failing);
        return !question.IsAboutFix(failing) ? OtherAlert(closed, failed)
            : question.IsOfLease ? CauseIsBack(closed, failed)
            : FixDidNotHold(closed, failed);
    }

    /// <summary>The window is over, and the checks could not be answered.</summary>
    public static Reopening NotKnown(SettleQuestion question, IReadOnlyList<Finding> unknown, Incident closed)
    {
        var (that, whether) = question.IsOfLease ? ("its cause is gone", "the cause is gone")
            : question.IsAboutFix(unknown) ? ("that fix holds", "the fix holds")
            : ("that fix is enough", "the fix is enough");
        var summary = Incident.Summarize(unknown);
        return new(
            $"After incident {closed.Id} was resolved {EndedUnseen(closed) ?? "the alert fires again"}, and whether {that} could not be found out. {summary}",
            $"Whether {whether} could not be found out, and {EndedUnseen(closed) ?? "the alert fires"} ({summary})",
            IsRecurrence: false);
    }

    private static Reopening FixDidNotHold(Incident closed, string failed) => new(
        $"The last fix did not hold: {CameAgain(closed)} after incident {closed.Id} was resolved, and its checks fail. {failed}",
        $"The fix did not hold ({failed})",
        IsRecurrence: true);

    private static Reopening CauseIsBack(Incident closed, string failed)
    {
        var takenBack = EndingText.Headline(closed) == EndingText.TakenBack ? " and its temporary fix taken back" : "";
        return new(
            $"The cause is back: {CameAgain(closed)} after incident {closed.Id} was resolved{takenBack}, and its checks fail. {failed}",
            $"The cause is back ({failed})",
            IsRecurrence: true);
    }

    private static Reopening OtherAlert(Incident closed, string failed)
    {
        var names = string.Join(", ", closed.OthersUnseen().Select(other => other.Name).Distinct());
        var fires = $"{names} {(EndedUnseen(closed) is null ? "fires" : "was ended by its sender without an all-clear")}";
        return new(
            $"{fires} after incident {closed.Id} was resolved, for another alert. "
            + $"What verified its fix does not fail; what calls for the mitigation does. {failed}",
            $"{fires}, and what calls for the mitigation fails ({failed})",
            IsRecurrence: false);
    }

    private static string CameAgain(Incident closed) => EndedUnseen(closed) ?? "the alert came again";

    /// <returns>Null where it fires.</returns>
    private static string? EndedUnseen(Incident closed) =>
        closed.EndedUnseenBecause() is { } why ? $"its sender ended the alert without an all-clear ({why})" : null;
}

/// <summary>
/// What is asked when an alert fires in a settle window, and what the answers mean. A fix that stands has to hold: what verified it is asked.
/// A temporary one was taken back; what has to hold there is that its cause is gone, so what it waited for is asked, and what calls for the
/// mitigation. That is asked too about an alert that the incident was not opened for: the fix was not measured by it.
/// </summary>
/// <param name="Holds">Each of these has to pass.</param>
/// <param name="When">What must not call for the mitigation; null where that is not asked.</param>
/// <param name="IsOfLease">The fix was taken back.</param>
internal sealed record SettleQuestion(IReadOnlyList<string> Holds, Condition? When, bool IsOfLease)
{
    /// <param name="verified">The checks that verified the fix.</param>
    public static SettleQuestion Of(Incident closed, Runbook runbook, IReadOnlyList<string> verified) => runbook.Mitigation.HoldUntil is { } hold
        ? new(hold.Checks, runbook.Mitigation.When, IsOfLease: true)
        : new(verified, closed.OthersUnseen().Count > 0 ? runbook.Mitigation.When : null, IsOfLease: false);

    public bool Asks(string check) => Holds.Contains(check) || When?.Asks(check) == true;

    public IReadOnlyList<Finding> Failing(IReadOnlyList<Finding> findings) => Those(findings, Verdict.Failing, Conclusion.Failing);

    public IReadOnlyList<Finding> Unknown(IReadOnlyList<Finding> findings) => Those(findings, Verdict.Unknown, Conclusion.Unclear);

    /// <summary>Whether these say something of the fix that was made, and not only of another alert.</summary>
    public bool IsAboutFix(IReadOnlyList<Finding> findings) => IsOfLease || findings.Any(finding => Holds.Contains(finding.Name));

    /// <summary>What the fix was not measured by may still tell of the time before it, and must not call for it once more.</summary>
    public Finding OfNow(Finding finding, DateTimeOffset? actedAt, DateTimeOffset now) => IsAboutFix([finding]) ? finding : finding.WhollySinceActing(actedAt, now);

    private List<Finding> Those(IReadOnlyList<Finding> findings, Verdict verdict, Conclusion conclusion)
    {
        var isCalledFor = When is not null && Diagnosis.Conclude(When, findings, isOver: true) == conclusion;
        return [.. findings.Where(finding => finding.Verdict == verdict && (Holds.Contains(finding.Name) || (isCalledFor && When!.Asks(finding.Name))))];
    }
}
