using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Reading;

/// <summary>Triggers that no alert fits because they use another tool's syntax. Prometheus' matchers are regular expressions, ours are not.</summary>
internal static partial class TriggerWarnings
{
    private static readonly string[] s_azure = ["Sev0", "Sev1", "Sev2", "Sev3", "Sev4"];

    /// <returns>The problem is a sentence that continues the key.</returns>
    public static IEnumerable<(string Key, string Problem, string Remedy)> Of(Trigger trigger)
    {
        var alert = trigger.Alert;
        if (IsExpression(alert) || (alert.Contains(".*", StringComparison.Ordinal) && alert.Count(c => c == '.') == 1))
        {
            yield return (
                "alert",
                $"is '{alert}', which looks like a regular expression; only '*' and '?' mean anything here.",
                "'*' stands for any text and '?' for one character; write a trigger for each name.");
        }
        else if (Listed().IsMatch(alert))
        {
            yield return ("alert", $"is '{alert}', one name with a comma in it.", "Write a trigger for each name.");
        }

        foreach (var (index, severity) in trigger.Severity.Index())
        {
            var key = trigger.Severity.Count > 1 ? $"severity[{index}]" : "severity";
            if (severity.Contains(',', StringComparison.Ordinal)
                || IsExpression(severity)
                || severity.Contains('*', StringComparison.Ordinal))
            {
                yield return (
                    key,
                    $"is '{severity}', and an alert has one severity, which is compared as it stands.",
                    "Write a list: [critical, warning].");
            }
            else if (trigger.Source == AlertSource.AzureMonitor && !s_azure.Contains(severity, StringComparer.OrdinalIgnoreCase))
            {
                yield return (key, $"is '{severity}', which Azure Monitor never sends.", $"It sends {string.Join(", ", s_azure)}.");
            }
        }

        foreach (var (name, value) in trigger.Labels.Where(label => IsExpression(label.Value)))
        {
            yield return (
                $"labels.{name}",
                $"is '{value}', which looks like a regular expression; only '*' and '?' mean anything here.",
                "'*' stands for any text and '?' for one character; write a trigger for each value.");
        }

        foreach (var (key, text) in trigger.Labels.Select(label => ($"labels.{label.Key}", label.Value)).Prepend(("alert", alert)).Where(one => InChatQuotes().IsMatch(one.Item2)))
        {
            yield return (
                key,
                $"is {text}, with quotes that belong to it: only straight ones are YAML's.",
                "Write \"…\" with straight quotes.");
        }
    }

    public static IEnumerable<(string Key, string Shown)> Hidden(Trigger trigger) =>
        trigger.Labels.Select(label => (Key: $"labels.{label.Key}", Text: label.Value, Shown: AlertSecrets.Hide(label.Key, label.Value)))
            .Prepend((Key: "alert", Text: trigger.Alert, Shown: Redactor.Redact(trigger.Alert)))
            .Where(one => one.Shown != one.Text)
            .Select(one => (one.Key, one.Shown));

    private static bool IsExpression(string text) => Expression().IsMatch(text);

    /// <summary>Matchers of Prometheus and Alertmanager: anchors, alternatives, groups, and the operators themselves.</summary>
    [GeneratedRegex(@"^(=~|[~!^])|[^A-Za-z0-9]\$$|\S\|\S|\.\+|\\\.|\\[dw][+*?{]", RegexOptions.NonBacktracking)]
    private static partial Regex Expression();

    [GeneratedRegex(@"^[^\s,]+(,\s*[^\s,]+)+$", RegexOptions.NonBacktracking)]
    private static partial Regex Listed();

    [GeneratedRegex("^[“”„‘’‚].*[“”‘’]$", RegexOptions.NonBacktracking)]
    private static partial Regex InChatQuotes();
}
