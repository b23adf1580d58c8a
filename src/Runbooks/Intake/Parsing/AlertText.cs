namespace Runbooks.Intake.Parsing;

internal static class AlertText
{
    private static readonly Dictionary<string, AlertStatus> s_words = new(StringComparer.OrdinalIgnoreCase);

    static AlertText()
    {
        Know(
            AlertStatus.Firing,
            "firing", "fired", "fire", "alerting", "alert", "alarm", "active", "activated", "triggered", "trigger", "open", "opened",
            "created", "new",
            "problem", "critical", "error", "down", "warning", "warn", "failed", "failure", "degraded", "unhealthy", "nodata", "no data",
            "re triggered", "re warn", "re no data", "renotify",
            "alert failure", "alert degraded", "alert degraded remain", "alert degraded failure");
        Know(
            AlertStatus.Resolved,
            "resolved", "resolve", "ok", "okay", "closed", "close", "recovered", "recovery", "up", "normal", "inactive", "deactivated",
            "cleared", "clear", "fixed", "healthy", "restored", "passing", "passed", "success", "back to normal", "ended",
            "alert recovery", "alert degraded recovery");
        Know(AlertStatus.Acknowledged, "acknowledged", "acknowledge", "acknowledgement", "acknowledgment", "acked", "ack");
    }

    /// <summary>An unknown word counts as firing: an incident too many is looked at, a missed alert is not.</summary>
    public static AlertStatus Status(Payload word, string path, PostReport report)
    {
        var text = word.Line(AlertLimits.Name);
        if (text is null && !word.IsObject)
        {
            return AlertStatus.Firing;
        }

        if (text is not null && Find(text) is { } status)
        {
            return status;
        }

        report.Warn(new(
            path, word.Found, "this status is not known, so the alert is taken as firing; write firing, resolved or acknowledged"));
        return AlertStatus.Firing;
    }

    /// <summary>Only critical is known to be worse than an unknown word.</summary>
    public static string? Severity(Payload word, string path, PostReport report)
    {
        var text = word.Line(AlertLimits.Severity);
        if (text is not null && AlertSeverity.RankOf(text) is null)
        {
            report.Warn(new(
                path,
                word.Found,
                "this severity is not known, so people are told that the alert became worse only when it becomes critical; "
                    + "write critical, high, medium, low or none"));
        }

        return text;
    }

    /// <returns>The sender's word where it is unknown; null otherwise.</returns>
    public static string? Unknown(Payload word) =>
        word.Line(AlertLimits.Name) is { } text && Find(text) is null ? text : null;

    public static bool SaysNotFiring(Payload word) =>
        word.Line(AlertLimits.Name) is { } text && Find(text) is AlertStatus.Resolved or AlertStatus.Acknowledged;

    /// <summary>For a field whose name is the word: true for such a word, or false for a word for firing.</summary>
    public static bool SaysNotFiring(string word, Payload answer) => answer.Line(AlertLimits.Name)?.ToUpperInvariant() switch
    {
        "TRUE" => Find(word) is AlertStatus.Resolved or AlertStatus.Acknowledged,
        "FALSE" => Find(word) is AlertStatus.Firing,
        _ => false,
    };

    /// <summary>For the name of an event, such as <c>incident.resolved</c>, the last part counts.</summary>
    private static AlertStatus? Find(string text)
    {
        var word = text[(text.LastIndexOf('.') + 1)..].Trim().Replace('_', ' ').Replace('-', ' ');
        return s_words.TryGetValue(word, out var status) ? status : null;
    }

    public static string? Summary(Payload annotations) =>
        annotations["summary"].Line(AlertLimits.Summary)
        ?? annotations["message"].Line(AlertLimits.Summary)
        ?? annotations["description"].Line(AlertLimits.Summary);

    private static void Know(AlertStatus status, params string[] words)
    {
        foreach (var word in words)
        {
            s_words.Add(word, status);
        }
    }
}
