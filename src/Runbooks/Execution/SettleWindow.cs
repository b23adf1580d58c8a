namespace Runbooks.Execution;

/// <summary>
/// Checks, when an alert comes in shortly after a verified fix, whether the fix still holds; of one that was taken back, whether its cause
/// is still gone. Counter-based alerts fire on after a good fix, so only a failing check proves something: it opens a new incident at
/// once. A check without an answer is asked again, until the window ends.
/// </summary>
public sealed class SettleWindow(IIncidentStore store, CheckRunner checks, RunHistoryStore histories, NextIncident next, TimeProvider time)
{
    /// <returns>Healthy while nothing says that the fix does not hold. Otherwise a new incident is open.</returns>
    public async Task<RecheckResult> RecheckAsync(
        Incident closed, Runbook runbook, RecheckRequest request, CancellationToken cancellationToken)
    {
        // Before the checks are asked: an alert that comes while they run must not count as answered by them.
        var current = await store.UpdateAsync(
            closed.Id, i => i.SettlesAt is null ? i : i with { WakeEvent = request.WakeEvent }, cancellationToken);
        if (current.SettlesAt is not { } settles || !current.FiresUnseen())
        {
            // There is no window, or every alert that came is over, which is no recurrence.
            return new RecheckResult(true, "", null);
        }

        var question = SettleQuestion.Of(current, runbook, request.Checks);
        var answers = await checks.AskAllAsync(closed, runbook.Diagnosis.Where(spec => question.Asks(spec.Name)), cancellationToken);
        var ofNow = answers.Select(finding => question.OfNow(finding, current.ActedAt, time.GetUtcNow()));
        var findings = current.SinceFiring([.. ofNow], time.GetUtcNow());
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

    private async Task<RecheckResult> ReopenAsync(
        Incident closed, Runbook runbook, Reopening reopening, IReadOnlyList<Finding> because, CancellationToken cancellationToken)
    {
        // More alerts may have come while the checks were asked.
        var current = await store.GetAsync(closed.Id, cancellationToken);
        var opened = await next.OpenAsync(
            current, runbook, current.FiringAgain(), reopening.Why, incident => reopening.Link(incident, closed), cancellationToken);
        await store.UpdateAsync(
            closed.Id, i => i.EndSettling($"{reopening.Ended}; incident {opened.Id} goes on.", time.GetUtcNow()), cancellationToken);
        await next.StartAsync(opened);
        return new RecheckResult(false, Incident.Summarize(because), null);
    }
}

/// <param name="IsRecurrence">The fix did not last; otherwise it was not for this, or nobody knows.</param>
internal sealed record Reopening(string Why, string Ended, bool IsRecurrence)
{
    public Incident Link(Incident opened, Incident closed)
    {
        var started = opened with { StartedBy = closed.StartedBy };
        return IsRecurrence ? started with { Follows = closed.Id } : started with { FollowUpOf = closed.Id };
    }

    public static Reopening Of(SettleQuestion question, IReadOnlyList<Finding> failing, Incident closed)
    {
        var failed = Incident.Summarize(failing);
        return !question.IsAboutFix(failing) ? OtherAlert(closed, failed)
            : question.IsOfLease ? CauseIsBack(closed, failed)
            : FixDidNotHold(closed, failed);
    }

    public static Reopening NotKnown(SettleQuestion question, IReadOnlyList<Finding> unknown, Incident closed)
    {
        var (that, whether) = question.IsOfLease ? ("its cause is gone", "the cause is gone")
            : question.IsAboutFix(unknown) ? ("that fix holds", "the fix holds")
            : ("that fix is enough", "the fix is enough");
        var summary = Incident.Summarize(unknown);
        var ended = EndedUnseen(closed);
        return new(
            $"After incident {closed.Id} was resolved {ended ?? "the alert fires again"}, "
            + $"and whether {that} could not be found out. {summary}",
            $"Whether {whether} could not be found out, and {ended ?? "the alert fires"} ({summary})",
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
            $"The cause is back: {CameAgain(closed)} after incident {closed.Id} was resolved{takenBack}, "
            + $"and its checks fail. {failed}",
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

    private static string? EndedUnseen(Incident closed) =>
        closed.EndedUnseenBecause() is { } why ? $"its sender ended the alert without an all-clear ({why})" : null;
}

/// <summary>
/// For a permanent fix, the checks that verified it are asked. For a temporary one that was taken back its cause must be gone: the checks
/// that it waited for are asked, and those that call for the mitigation. The latter are also asked about an alert that the incident was
/// not opened for, since the fix was not measured by it.
/// </summary>
/// <param name="Holds">Each of these checks has to pass.</param>
/// <param name="When">Must not call for the mitigation; null where that is not asked.</param>
/// <param name="IsOfLease">The fix was taken back.</param>
internal sealed record SettleQuestion(IReadOnlyList<string> Holds, Condition? When, bool IsOfLease)
{
    public static SettleQuestion Of(Incident closed, Runbook runbook, IReadOnlyList<string> verified) =>
        runbook.Mitigation.HoldUntil is { } hold
        ? new(hold.Checks, runbook.Mitigation.When, IsOfLease: true)
        : new(verified, closed.OthersUnseen().Count > 0 ? runbook.Mitigation.When : null, IsOfLease: false);

    public bool Asks(string check) => Holds.Contains(check) || When?.Asks(check) == true;

    public IReadOnlyList<Finding> Failing(IReadOnlyList<Finding> findings) => Those(findings, Verdict.Failing, Conclusion.Failing);

    public IReadOnlyList<Finding> Unknown(IReadOnlyList<Finding> findings) => Those(findings, Verdict.Unknown, Conclusion.Unclear);

    /// <summary>Whether these say something about the fix, and not only about another alert.</summary>
    public bool IsAboutFix(IReadOnlyList<Finding> findings) => IsOfLease || findings.Any(finding => Holds.Contains(finding.Name));

    /// <summary>A check that did not verify the fix may still measure the time before it.</summary>
    public Finding OfNow(Finding finding, DateTimeOffset? actedAt, DateTimeOffset now) =>
        IsAboutFix([finding]) ? finding : finding.WhollySinceActing(actedAt, now);

    private List<Finding> Those(IReadOnlyList<Finding> findings, Verdict verdict, Conclusion conclusion)
    {
        var isCalledFor = When is not null && Diagnosis.Conclude(When, findings, isOver: true) == conclusion;
        return [.. findings.Where(finding => finding.Verdict == verdict && Concerns(finding.Name))];

        bool Concerns(string check) => Holds.Contains(check) || (isCalledFor && When!.Asks(check));
    }
}
