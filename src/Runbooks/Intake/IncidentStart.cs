namespace Runbooks.Intake;

/// <summary>
/// The workflow of a new incident is to be started, or of one whose start a crash may have cut off: the sender tries again,
/// and what it then folds into was never started. One that waits is to be woken, where something came that it has to read.
/// </summary>
/// <param name="Runbook">Null where it was opened before.</param>
internal sealed record IncidentStart(Incident Incident, Runbook? Runbook)
{
    public bool Wakes { get; init; }

    public static IncidentStart Waking(Incident incident) => new(incident, null) { Wakes = true };

    /// <summary>One start for each incident of a post.</summary>
    public static IReadOnlyList<IncidentStart> Merge(IEnumerable<IncidentStart> starts) => [.. starts.GroupBy(start => start.Incident.Id).Select(of => of.Last() with
    {
        Runbook = of.Select(start => start.Runbook).FirstOrDefault(runbook => runbook is not null),
        Wakes = of.Any(start => start.Wakes),
    })];

    /// <summary>The incident is on record: a sender that hangs up no longer stops its start.</summary>
    public async Task RunAsync(IIncidentEngine engine, PinnedRunbooks pinned)
    {
        if (Runbook is { } opened)
        {
            await engine.StartAsync(IncidentInput.Of(Incident.Id, opened), CancellationToken.None);
        }
        else if (Incident is { State: IncidentState.Diagnosing, WakeEvent: null } && await engine.FindAsync(Incident.Id, CancellationToken.None) is null)
        {
            await engine.StartAsync(IncidentInput.Of(Incident.Id, await pinned.OfAsync(Incident, CancellationToken.None)), CancellationToken.None);
        }
    }
}

/// <summary>Why an alert, or a start by hand, opened nothing: the incident that is there already, in words.</summary>
internal static class IntakeText
{
    /// <summary>What a start by hand meets.</summary>
    public static string Standing(Incident incident, DateTimeOffset now) =>
        !incident.State.IsFinal() ? $"Incident {incident.Id} on this target is open already."
        : incident.IsOwnedByResponder() ? $"Incident {incident.Id} on this target was taken over by a person. Close it first."
        : $"Incident {incident.Id} on this target was closed a moment ago, and its fix settles until {GateText.Clock(incident.SettlesAt ?? now, now)}. Try that one again if it is needed.";

    /// <summary>Where an alert went.</summary>
    public static string Folding(Incident incident, DateTimeOffset now) => incident.IsOwnedByResponder()
        ? $"Incident {incident.Id} on this target was taken over by a person; alerts belong to it until it is closed, at the latest {GateText.Clock(incident.SettlesAt ?? now, now)}."
        : incident.State.IsFinal() && incident.SaidNo() is { } firm && !incident.HoldsUnasked()
        ? $"It fires on, and does not ask again: {firm.Words}"
        : incident.State.IsFinal() && incident.SaidNo() is { } no
        ? $"It comes and goes, and does not ask again until it has been quiet for {Recurrence.QuietFor.TotalMinutes:0} minutes, or does not end for as long: {no.Words}"
        : incident.State.IsFinal()
        ? $"Incident {incident.Id} on this target was closed a moment ago; late alerts belong to it until {GateText.Clock(incident.SettlesAt ?? now, now)}."
        : $"Incident {incident.Id} on this target is open; this is its alert number {incident.AlertCount}.";
}
