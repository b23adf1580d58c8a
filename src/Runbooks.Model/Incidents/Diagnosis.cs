namespace Runbooks.Model.Incidents;

/// <summary>What the findings together mean for the mitigation.</summary>
public static class Diagnosis
{
    /// <param name="isOver">A pass with a caveat is then enough, since checks and sender agree.</param>
    public static Conclusion Conclude(Condition when, IReadOnlyList<Finding> findings, bool isOver = false)
    {
        var asked = Asked(when, findings);
        if (asked.Count == 0)
        {
            // A runbook without checks trusts its alert.
            return Conclusion.Failing;
        }

        var failing = asked.Count(finding => finding.Verdict == Verdict.Failing);
        var unknown = asked.Count(finding => finding.Verdict == Verdict.Unknown || (IsUnproven(finding) && !isOver));
        return when.Quantifier switch
        {
            Quantifier.Any when failing > 0 => Conclusion.Failing,
            Quantifier.All when failing == asked.Count => Conclusion.Failing,
            Quantifier.All when failing + unknown < asked.Count => Conclusion.Healthy,
            _ => unknown > 0 ? Conclusion.Unclear : Conclusion.Healthy,
        };
    }

    /// <summary>As a sentence.</summary>
    public static string WhyUnclear(Condition when, IReadOnlyList<Finding> findings)
    {
        var asked = Asked(when, findings);
        var unproven = asked.Where(IsUnproven).Select(finding => $"'{finding.Name}' passes {finding.Result.Caveat}").ToList();
        return unproven.Count == 0 || asked.Any(finding => finding.Verdict == Verdict.Unknown)
            ? "Not every check could be answered, and none of the answered ones failed."
            : $"{string.Join(", ", unproven)}: that does not show that all is well.";
    }

    /// <summary>Needs that do not pass. Telling and the resolution need nothing.</summary>
    public static IReadOnlyList<Finding> UnmetNeeds(Mitigation mitigation, Phase phase, Plan plan, IReadOnlyList<Finding> findings) =>
        phase != Phase.Mitigation || plan.TellsOnly ? [] : [.. findings.Where(finding => finding.Verdict != Verdict.Passing && mitigation.Needs.Contains(finding.Name))];

    /// <returns>Null for the time when it was asked, and if nothing passes.</returns>
    public static DateTimeOffset? MeasuredUntil(Condition when, IReadOnlyList<Finding> findings)
    {
        // If all have to fail, one pass is enough, so the newest counts. Otherwise every check has to pass, so the oldest counts.
        var passing = Asked(when, findings)
            .Where(finding => finding.Verdict == Verdict.Passing)
            .Select(finding => finding.Result.MeasuredAt)
            .ToList();
        return when.Quantifier == Quantifier.All ? (passing.Contains(null) ? null : passing.Max()) : passing.Min();
    }

    /// <summary>A pass that only shows nothing bad does not contradict an alert.</summary>
    private static bool IsUnproven(Finding finding) => finding is { Verdict: Verdict.Passing, Result.Caveat: not null };

    private static IReadOnlyList<Finding> Asked(Condition when, IReadOnlyList<Finding> findings) =>
        [.. findings.Where(finding => when.Asks(finding.Name))];
}

public enum Conclusion
{
    /// <summary>The checks call for the mitigation.</summary>
    Failing,

    /// <summary>The checks do not call for it.</summary>
    Healthy,

    /// <summary>Too little is known. A person is asked, even in a self-healing runbook.</summary>
    Unclear,
}
