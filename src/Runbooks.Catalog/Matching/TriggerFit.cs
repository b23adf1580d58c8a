using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Matching;

/// <summary>How a trigger fits an alert: how specific it is, or what keeps it from fitting.</summary>
/// <param name="Mismatch">The first part that does not fit, in words; null when the trigger fits.</param>
/// <param name="Passed">How many parts fitted before that: the nearest miss has the most.</param>
internal sealed record TriggerFit(Specificity Specificity, string? Mismatch, int Passed)
{
    public static TriggerFit Of(Trigger trigger, Alert alert)
    {
        var mismatches = new[] { Name(trigger, alert), Source(trigger, alert), Severity(trigger, alert) }.Concat(trigger.Labels.Select(label => Label(label, alert)));
        var passed = 0;
        foreach (var mismatch in mismatches)
        {
            if (mismatch is not null)
            {
                return new(default, mismatch, passed);
            }

            passed++;
        }

        return new(Specificity.Of(trigger), null, passed);
    }

    private static string? Name(Trigger trigger, Alert alert) =>
        Glob.IsMatch(trigger.Alert, alert.Name) ? null : $"it waits for the alert '{trigger.Alert}'";

    private static string? Source(Trigger trigger, Alert alert) =>
        trigger.Source is null || trigger.Source.Equals(alert.Source, StringComparison.OrdinalIgnoreCase) ? null : $"it listens to {trigger.Source}";

    private static string? Severity(Trigger trigger, Alert alert) =>
        trigger.Severity.Count == 0 || trigger.Severity.Contains(alert.Severity, StringComparer.OrdinalIgnoreCase)
            ? null
            : $"it wants the severity {string.Join(" or ", trigger.Severity)}, the alert has {(alert.Severity is { } severity ? $"'{severity}'" : "none")}";

    private static string? Label(KeyValuePair<string, string> wanted, Alert alert) =>
        !alert.Labels.TryGetValue(wanted.Key, out var value) ? $"it wants the label {wanted.Key}, the alert has none"
        : !Glob.IsMatch(wanted.Value, value) ? $"it wants {wanted.Key}={wanted.Value}, the alert has '{Clip.To(value, RunbookMatcher.Quoted)}'"
        : null;
}
