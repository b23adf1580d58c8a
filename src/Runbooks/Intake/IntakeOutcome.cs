namespace Runbooks.Intake;

/// <summary>What became of one alert, or of one start by hand.</summary>
/// <param name="Id">The incident; null when there is none.</param>
/// <param name="Reason">Why, in words; always there when the alert was ignored.</param>
public sealed record IntakeOutcome(string? Id, string? Runbook, string? Target, IntakeResult Outcome, string? Reason);

public enum IntakeResult
{
    /// <summary>A new incident.</summary>
    Opened,

    /// <summary>An incident on the same target was there already and has the alert on record.</summary>
    Folded,

    /// <summary>The alert is over, and its incident knows.</summary>
    Resolved,

    /// <summary>No incident is concerned.</summary>
    Ignored,
}
