namespace Runbooks.Execution;

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
