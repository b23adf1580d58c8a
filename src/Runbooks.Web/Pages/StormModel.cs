using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Web.Pages;

/// <summary>What the page of a storm shows to one recipient.</summary>
/// <param name="Notice">What became of what was just sent; null when the page was only opened.</param>
public sealed record StormModel(Runbook Runbook, string Recipient, IReadOnlyList<StormRow> Rows, string? Notice, bool Good, DateTimeOffset Now)
{
    /// <summary>The field of the form that holds the tickets of the ticked questions.</summary>
    public const string TicketField = "ticket";

    public IReadOnlyList<StormRow> Waiting { get; } = [.. Rows.Where(row => row.Ticket is not null)];

    public IReadOnlyList<StormRow> Others { get; } = [.. Rows.Where(row => row.Ticket is null)];

    public bool DryRun { get; } = Rows.All(row => row.Incident.Mode == RunMode.DryRun);

    public Gate? FirstToExpire { get; } = Rows.Where(row => row.Ticket is not null).Select(row => row.Gate).MinBy(gate => gate.ExpiresAt);

    /// <summary>Changes when the page would say something else.</summary>
    public string Version => string.Join(' ', Rows.GroupBy(row => $"{row.Gate.Outcome}-{row.Incident.State}").OrderBy(group => group.Key).Select(group => $"{group.Key}:{group.Count()}"));
}

/// <summary>One target.</summary>
/// <param name="Ticket">What decides its question; null when there is nothing to decide any more.</param>
public sealed record StormRow(Incident Incident, Gate Gate, string? Ticket)
{
    /// <summary>What was found wrong, or at least not known.</summary>
    public IEnumerable<Finding> Telling => Incident.Findings.Where(finding => finding.Verdict != Verdict.Passing);

    /// <summary>Something speaks against it, so it is not ticked for the reader.</summary>
    public bool NeedsLook => Gate.Warnings.Count > 0 || Gate.Difference is not null;

    public static StormRow Of(Incident incident, DateTimeOffset now, Func<Gate, string> ticket)
    {
        var gate = incident.OpenGate ?? incident.LatestGate!;
        var open = gate.Outcome == GateOutcome.Pending && now < gate.ExpiresAt && !incident.State.IsFinal();
        return new(incident, gate, open ? ticket(gate) : null);
    }
}
