using Runbooks.Model.Incidents;

namespace Runbooks.Intake;

/// <summary>Why an alert, or a start by hand, opened nothing: the incident that is there already, in words.</summary>
internal static class IntakeText
{
    /// <summary>What a start by hand meets.</summary>
    public static string Standing(Incident incident, DateTimeOffset now) =>
        !incident.State.IsFinal() ? $"Incident {incident.Id} on this target is open already."
        : incident.IsOwnedByResponder() ? $"Incident {incident.Id} on this target was taken over by a person. Close it first."
        : $"Incident {incident.Id} on this target was closed a moment ago, and its fix settles until {incident.SettlesAt ?? now:HH:mm:ss} UTC. Try that one again if it is needed.";

    /// <summary>Where an alert went.</summary>
    public static string Folding(Incident incident) => incident.IsOwnedByResponder()
        ? $"Incident {incident.Id} on this target was taken over by a person; alerts belong to it until it is closed, at the latest {incident.SettlesAt:HH:mm:ss} UTC."
        : incident.State.IsFinal() && incident.SaidNo() is { } firm && !incident.HoldsUnasked()
        ? $"It fires on, and does not ask again: {firm.Words}"
        : incident.State.IsFinal() && incident.SaidNo() is { } no
        ? $"It comes and goes, and does not ask again until it has been quiet for {Recurrence.QuietFor.TotalMinutes:0} minutes, or does not end for as long: {no.Words}"
        : incident.State.IsFinal()
        ? $"Incident {incident.Id} on this target was closed a moment ago; late alerts belong to it until {incident.SettlesAt:HH:mm:ss} UTC."
        : $"Incident {incident.Id} on this target is open; this is its alert number {incident.AlertCount}.";
}
