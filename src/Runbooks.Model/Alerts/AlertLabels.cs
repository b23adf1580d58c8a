namespace Runbooks.Model.Alerts;

/// <summary>
/// Which labels say what an alert is about. A value that was measured is another one in each message, so it is no part of what an alert
/// is known by: neither of an identity that is computed, nor of whether two alerts say the same.
/// </summary>
public static class AlertLabels
{
    private static readonly HashSet<string> s_measured = new(StringComparer.OrdinalIgnoreCase) { "value", "currentvalue", "lastvalue", "metricvalue", "measuredvalue", "timestamp" };

    private static readonly HashSet<string> s_howBad = new(StringComparer.OrdinalIgnoreCase) { "severity", "priority", "level", "status", "state" };

    /// <summary>Whether a label of this name holds what was measured, or when.</summary>
    public static bool IsMeasured(string name) => s_measured.Contains(Plain(name));

    /// <summary>Whether an alert may change it while it fires: what was measured, and how bad it is. The latter tells two alerts apart all the same.</summary>
    public static bool MayChange(string name) => IsMeasured(name) || s_howBad.Contains(Plain(name));

    /// <summary>What tells it from other alerts of its name, by the label's name.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Telling(Alert alert) => alert.Labels.Where(label => !IsMeasuredIn(alert, label.Key));

    /// <summary>Whether two alerts have the same labels but for what was measured. Values that were hidden may have been different ones.</summary>
    public static bool AreSame(Alert left, Alert right) =>
        left.Labels.Keys.Union(right.Labels.Keys).Where(name => !IsMeasuredIn(left, name) && !IsMeasuredIn(right, name)).All(name =>
            left.Labels.GetValueOrDefault(name) is { } value && right.Labels.GetValueOrDefault(name) == value && !value.Contains(Redactor.Hidden, StringComparison.Ordinal));

    private static bool IsMeasuredIn(Alert alert, string name) => IsMeasured(name) || alert.Measured?.Contains(name) == true;

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
}
