using Runbooks.Catalog.Templates;

namespace Runbooks.Intake;

/// <summary>What an incident is about: the runbook's target template, filled from the alert.</summary>
internal static class IncidentTarget
{
    /// <summary>Stores keep the target in a key, and keys have an end.</summary>
    public const int MaxLength = 300;

    /// <summary>
    /// A label that the alert lacks becomes <c>?</c>: an alert that says too little still reaches a person. Its own name and
    /// identity then stand beside it, because two alerts are not about the same thing for lacking the same label. So they do
    /// where a label was hidden because it looks like a secret.
    /// </summary>
    public static string Of(Runbook runbook, Alert alert)
    {
        var target = Template.Parse(runbook.Target).RenderLenient(new TemplateScope { Alert = alert }).Trim();
        var missing = Missing(runbook, alert);
        if (missing.Count == 0)
        {
            return Named(runbook, alert, target);
        }

        var hidden = Hidden(runbook, alert);
        var lacks = missing.Except(hidden).ToList();
        var why = string.Join(", ", ((string?[])[lacks.Count > 0 ? $"without {string.Join(" and ", lacks)}" : null, hidden.Count > 0 ? $"with {string.Join(" and ", hidden)} hidden" : null]).OfType<string>());
        var what = $"{RuleOf(alert)}, {why}, alert {IdentityOf(alert, hidden.Count > 0)}";
        return Bound(target is "" or "?" or Redactor.Hidden ? what : $"{target} ({what})");
    }

    /// <summary>What the target asks for and the alert does not say: it lacks it, or it is hidden.</summary>
    public static IReadOnlyList<string> Missing(Runbook runbook, Alert alert) => Placeholders(runbook, alert, value => value?.Contains(Redactor.Hidden, StringComparison.Ordinal) != false);

    private static IReadOnlyList<string> Hidden(Runbook runbook, Alert alert) => Placeholders(runbook, alert, value => value?.Contains(Redactor.Hidden, StringComparison.Ordinal) == true);

    private static IReadOnlyList<string> Placeholders(Runbook runbook, Alert alert, Func<string?, bool> are)
    {
        var scope = new TemplateScope { Alert = alert };
        return [.. Template.Parse(runbook.Target).Placeholders.Where(placeholder => are(scope.Find(placeholder))).Select(placeholder => placeholder.Path).Distinct()];
    }

    /// <summary>Grafana's own alerts, such as DatasourceNoData, name the rule that they are about in labels.</summary>
    private static string RuleOf(Alert alert) => alert.Labels.TryGetValue("rulename", out var rule)
        ? $"{rule}{(alert.Labels.TryGetValue("ref_id", out var query) ? $" {query}" : "")} ({alert.Name})"
        : alert.Name;

    /// <summary>Azure Monitor gives every firing another identity: there it is the labels that tell one alert from another, unless one of them is hidden.</summary>
    private static string IdentityOf(Alert alert, bool isHidden)
    {
        var labels = AlertLabels.Telling(alert).OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key.Length}:{label.Key}={label.Value.Length}:{label.Value}");
        var identity = alert.Resources.Count > 0 && !isHidden ? $"{alert.Name}\n{string.Join('\n', labels)}" : alert.Fingerprint;
        return TextHash.Of(identity, bytes: 6);
    }

    /// <summary>A target that has all it asks for.</summary>
    internal static string Named(Runbook runbook, Alert alert, string target) => TargetKey.Named(Bound(target), alert, runbook.Trigger);

    private static string Bound(string target)
    {
        var text = target.Trim();
        if (text.Length == 0)
        {
            return "?";
        }

        // The hash keeps two long targets apart that differ only behind the cut.
        return text.Length <= MaxLength
            ? text
            : $"{Clip.To(text, MaxLength - 17)} {TextHash.Of(text, bytes: 8)}";
    }
}
