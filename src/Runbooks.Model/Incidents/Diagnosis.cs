using Runbooks.Model.Definition;

namespace Runbooks.Model.Incidents;

/// <summary>What the findings together mean for the mitigation.</summary>
public static class Diagnosis
{
    public static Conclusion Conclude(Condition when, IReadOnlyList<Finding> findings)
    {
        var asked = when.Checks.Count == 0 ? findings : [.. findings.Where(finding => when.Checks.Contains(finding.Name))];
        if (asked.Count == 0)
        {
            // A runbook without questions trusts its alert.
            return Conclusion.Failing;
        }

        var failing = asked.Count(finding => finding.Verdict == Verdict.Failing);
        var unknown = asked.Count(finding => finding.Verdict == Verdict.Unknown);
        return when.Quantifier switch
        {
            Quantifier.Any when failing > 0 => Conclusion.Failing,
            Quantifier.All when failing == asked.Count => Conclusion.Failing,
            Quantifier.All when failing + unknown < asked.Count => Conclusion.Healthy,
            _ => unknown > 0 ? Conclusion.Unclear : Conclusion.Healthy,
        };
    }
}

public enum Conclusion
{
    /// <summary>The checks call for the mitigation.</summary>
    Failing,

    /// <summary>They do not.</summary>
    Healthy,

    /// <summary>Too little is known to say: a person is asked, even by a runbook that heals itself.</summary>
    Unclear,
}
