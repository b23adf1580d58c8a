using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing;

/// <summary>Words that several senders use.</summary>
internal static class AlertWords
{
    private static readonly HashSet<string> Over = new(["resolved", "ok", "closed", "recovered", "inactive"], StringComparer.OrdinalIgnoreCase);

    /// <summary>An unknown word counts as firing: an incident too many is looked at, an alert too few is not.</summary>
    public static AlertStatus Status(string? word) => word is not null && Over.Contains(word.Trim()) ? AlertStatus.Resolved : AlertStatus.Firing;

    public static string? Summary(Payload annotations) =>
        annotations["summary"].Line(AlertLimits.Summary)
        ?? annotations["message"].Line(AlertLimits.Summary)
        ?? annotations["description"].Line(AlertLimits.Summary);
}
