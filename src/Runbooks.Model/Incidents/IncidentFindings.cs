namespace Runbooks.Model.Incidents;

/// <summary>Recording what checks found.</summary>
public static class IncidentFindings
{
    /// <summary>Records the answers of the diagnosis, once.</summary>
    public static Incident RecordFindings(this Incident incident, IReadOnlyList<Finding> findings, DateTimeOffset now) =>
        findings.Count == 0 || incident.Findings.Count > 0
            ? incident
            : (incident with { Findings = findings }).Note(now, TimelineKind.Diagnosis, "runbook", Summarize(findings));

    /// <summary>Records a later look. Only a change is worth a line: a lease may be looked at a thousand times.</summary>
    public static Incident RecordLook(this Incident incident, IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        var before = incident.Verification.ToDictionary(finding => finding.Name, finding => finding.Verdict);
        var changed = incident.State != state || findings.Any(finding => !before.TryGetValue(finding.Name, out var verdict) || verdict != finding.Verdict);
        var looked = incident with { State = state, Reason = null, Verification = findings, Looks = incident.Looks.Add(state, findings, now), UpdatedAt = now };
        return changed
            ? looked.Note(now, state == IncidentState.Holding ? TimelineKind.Lease : TimelineKind.Verification, "runbook", Summarize(findings))
            : looked;
    }

    public static string Summarize(IEnumerable<Finding> findings) => string.Join(" ", findings.Select(finding =>
        $"{finding.Name}: {finding.Verdict switch { Verdict.Passing => "passing", Verdict.Failing => "failing", _ => "unknown" }} ({finding.Result.Summary})"));
}
