namespace Runbooks.Model.Alerts;

/// <summary>The rule that one of Grafana's own alerts is about, such as DatasourceError. The labels of its series are missing there.</summary>
public static class GrafanaRule
{
    private static readonly HashSet<string> s_own = new(StringComparer.Ordinal) { "alertname", "rulename", "ref_id", "datasource_uid" };

    /// <returns>Null for any other alert.</returns>
    public static string? NameOf(Alert alert) => alert is { Source: "grafana", Name: "DatasourceError" or "DatasourceNoData" } ? alert.Labels.GetValueOrDefault("rulename") : null;

    /// <summary>Whether an alert may be of that very rule: none of the rule's own labels, its folder among them, says otherwise.</summary>
    public static bool MayBe(Alert alert, Alert told) => told.Labels.All(label =>
        s_own.Contains(label.Key) || AlertLabels.MayChange(label.Key) || !alert.Labels.TryGetValue(label.Key, out var value) || value == label.Value);
}
