namespace Runbooks.Notifications;

/// <summary>Who hears how an incident ended.</summary>
public static class NotificationRecipients
{
    /// <summary>Keys of the messages that tell how an incident ended.</summary>
    public const string Closed = "closed";

    /// <summary>Keys of reports.</summary>
    public const string Report = "report";

    /// <summary>
    /// Whoever was asked. Where nobody was asked, only what acted or what failed is told, what told nobody yet, and that the checks
    /// saw nothing to do while the alert fires.
    /// </summary>
    public static IReadOnlyList<string> Of(Incident incident, Runbook runbook)
    {
        var listeners = Asked(incident).ToList();
        if (listeners.Count == 0 && !HasTold(incident) && (incident.Steps.Count > 0 || incident.LatestGate?.Outcome == GateOutcome.DiagnosedOnly || (incident.State == IncidentState.NotNeeded && incident.IsWorthTelling)))
        {
            listeners.AddRange(runbook.Mitigation.Approval?.From ?? [runbook.Fallback]);
        }

        if (incident.State is IncidentState.Failed or IncidentState.Expired)
        {
            listeners.Add(runbook.Fallback);
        }

        listeners.AddRange(DecidedOnCall(incident));
        return listeners;
    }

    // A runbook that only tells has told whom it is for: one more message to somebody else would be noise.
    private static bool HasTold(Incident incident) =>
        incident.Deliveries.Count > 0 && incident.Steps.All(step => step.Preparation.TellsOnly && step.Status == StepStatus.Done);

    /// <summary>Who hears that a temporary fix is in place: whoever was asked about it, or would have been.</summary>
    public static IReadOnlyList<string> OfHold(Incident incident, Runbook runbook) =>
        [.. Asked(incident).ToList() is { Count: > 0 } asked ? asked : runbook.Mitigation.Approval?.From ?? [runbook.Fallback], .. DecidedOnCall(incident)];

    /// <summary>Who hears that a person has to look: whoever was asked, whoever decided, and the last in line.</summary>
    public static IReadOnlyList<string> OfPage(Incident incident, Runbook runbook) => [.. Asked(incident), .. DecidedOnCall(incident), runbook.Fallback];

    /// <summary>Who gets the report of an incident that has ended.</summary>
    public static IReadOnlyList<string> OfReport(Incident incident, Runbook runbook) => incident.State == IncidentState.NotNeeded ? [] : runbook.ReportTo;

    /// <summary>Whom a team could not be reached about, the last in line of all hears of.</summary>
    public static bool NeedsLastInLine(Runbook runbook, IEnumerable<Delivery> message) => runbook.Fallback != ContactBook.Fallback && !Reach.IsEnough(message);

    /// <summary>Whoever decided what a schedule was asked about hears how it goes on, also when somebody else is on call by then.</summary>
    private static IEnumerable<string> DecidedOnCall(Incident incident) =>
        incident.Gates.Where(gate => gate.OnCall.Count > 0).SelectMany(gate => gate.Decisions).Select(decision => ContactBook.Person(decision.Person)).Distinct(StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> Asked(Incident incident) =>
        incident.Gates.Where(gate => incident.HasDelivery(gate.Id)).SelectMany(gate => gate.Approvers);
}
