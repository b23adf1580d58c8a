namespace Runbooks.Model.Incidents;

/// <summary>The answers of checks in words. Each list says of when it is: what waits for people is read hours later.</summary>
public static class FindingText
{
    /// <summary>What is measured this much before it is told says so itself.</summary>
    private static readonly TimeSpan WorthSaying = TimeSpan.FromMinutes(1);

    /// <summary>The heading over the answers of the diagnosis.</summary>
    /// <param name="from">When whoever reads it was told.</param>
    public static string Found(Incident incident, DateTimeOffset from) =>
        $"What was found{(incident.Verification.Count > 0 ? " first" : "")}{At(incident.Findings, incident.Verification.Count > 0 ? ", at" : " at", from)}";

    /// <summary>The heading over the answers since something was done.</summary>
    public static string SaidLast(Incident incident, DateTimeOffset from) => $"What the checks said last{At(incident.Verification, ", at", from)}";

    /// <summary>An answer as a line of a message.</summary>
    public static string Line(Finding finding) =>
        $"{finding.Verdict switch { Verdict.Failing => "✗", Verdict.Passing => "✓", _ => "?" }} {finding.Ask} {finding.Result.Summary}{(finding.At - finding.SeenAt >= WorthSaying ? $" (measured until {GateText.Clock(finding.SeenAt, finding.At)})" : "")}";

    private static string At(IReadOnlyList<Finding> findings, string word, DateTimeOffset from) => findings.Count == 0 ? "" : $"{word} {GateText.Clock(findings.Max(finding => finding.At), from)}";
}
