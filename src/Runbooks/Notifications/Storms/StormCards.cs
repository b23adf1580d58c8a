using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.SignedLinks;

namespace Runbooks.Notifications.Storms;

/// <summary>What a message about many incidents says.</summary>
public sealed class StormCards(DecisionLinks links)
{
    private const int LineLength = 500;

    /// <summary>One question about many targets; the page behind it lists them all and decides them together or apart.</summary>
    public Card Question(Storm storm, Runbook runbook, IReadOnlyList<Incident> incidents, string recipient)
    {
        var example = incidents[0];
        var gate = example.OpenGate!;
        var again = incidents.All(incident => incident.OpenGate!.Asked > 0);
        return new Card
        {
            Kind = again ? CardKind.Reminder : CardKind.ApprovalRequest,
            IncidentId = storm.Id,
            Title = $"{(again ? "Still waiting: " : "")}{incidents.Count} incidents of '{runbook.Title}' ask you at once",
            Severity = runbook.Impact.Severity,
            DryRun = incidents.All(incident => incident.Mode == RunMode.DryRun),
            Sections =
            [
                new("What broke", [$"{runbook.Title} on {incidents.Count} targets. {runbook.Impact.Users}".Trim(), runbook.Impact.Data]),
                new("Targets", Lines(incidents.Select(incident => incident.Target))),
                new("What I will do on each", [.. gate.Plan.Steps.Select(step => step.PlannedEffect), $"(As on {example.Target}; the page shows each one's own steps and findings.)"]),
                new("How to undo it", [.. gate.Plan.Steps.Select(step => step.Undo ?? $"{step.Name}: cannot be undone.")]),
                new("If nobody answers", [GateText.Silence(incidents.MinBy(incident => incident.OpenGate!.ExpiresAt)!.OpenGate!)]),
            ],
            Links = [new("Look at all and decide", links.ForStorm(storm.RunbookId, storm.Since, incidents.Max(incident => incident.OpenGate!.ExpiresAt), recipient))],
        };
    }

    /// <summary>How many incidents ended, since the last such message.</summary>
    public Card Ended(Storm storm, Runbook runbook, IReadOnlyList<Incident> incidents)
    {
        var bad = incidents.Where(NeedsPerson).ToList();
        var counts = incidents.GroupBy(incident => incident.State).OrderBy(group => group.Key).Select(group => $"{group.Count()} × {IncidentText.Of(group.Key)}");
        return new Card
        {
            Kind = bad.Count > 0 ? CardKind.Page : incidents.Any(incident => incident.State == IncidentState.TakenOver) ? CardKind.Decided : CardKind.Closed,
            IncidentId = storm.Id,
            Title = bad.Count > 0
                ? $"A person is needed: {bad.Count} of {incidents.Count} incidents of '{runbook.Title}' were not solved"
                : $"{incidents.Count} incidents of '{runbook.Title}' have ended",
            Severity = runbook.Impact.Severity,
            DryRun = incidents.All(incident => incident.Mode == RunMode.DryRun),
            Sections =
            [
                new("How they ended", [.. counts]),
                .. bad.Count == 0 ? [] : (CardSection[])[new("Not solved", [.. bad.Select(incident => $"{incident.Target}: {incident.Reason ?? IncidentText.Of(incident.State)}")])],
                new("Targets", Lines(incidents.Except(bad).Select(incident => incident.Target))),
            ],
            Links = [new("Incidents", links.Console(runbook.Id))],
        };
    }

    private static bool NeedsPerson(Incident incident) => incident.State is IncidentState.Failed or IncidentState.Expired;

    /// <summary>As many to a line as can be read.</summary>
    private static List<string> Lines(IEnumerable<string> targets)
    {
        var lines = new List<string>();
        foreach (var target in targets)
        {
            if (lines.Count > 0 && lines[^1].Length + target.Length + 2 <= LineLength)
            {
                lines[^1] += $", {target}";
            }
            else
            {
                lines.Add(target);
            }
        }

        return lines;
    }
}
