using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Web.Pages;

/// <summary>What the page of one incident shows.</summary>
/// <param name="Refusal">Why what was just asked for was not done; null when the page was only opened.</param>
public sealed record IncidentModel(Incident Incident, Runbook Runbook, Visitor Visitor, string? Refusal, DateTimeOffset Now)
{
    public string Address => $"/incidents/{Uri.EscapeDataString(Incident.Id)}";

    /// <summary>What keeps the open question from being carried out at the moment.</summary>
    public IReadOnlyList<string> Guards { get; init; } = [];

    /// <summary>The question that can be answered now.</summary>
    public Gate? Question => Incident.OpenGate is { } gate && Now < gate.ExpiresAt && !Incident.State.IsFinal() ? gate : null;

    public bool CanStop => !Incident.State.IsFinal() && Incident.Stop is null;

    public bool CanRetry => Incident.State.IsFinal() && !Incident.IsOwnedByResponder() && Incident.RetriedAs is null;

    public bool CanNote => Incident.Timeline.Count(line => line.Kind == TimelineKind.Note) < Incident.MaxNotes;
}
