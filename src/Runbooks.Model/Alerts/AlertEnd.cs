namespace Runbooks.Model.Alerts;

/// <summary>What a sender means when it says that an alert is over.</summary>
public static class AlertEnd
{
    /// <summary>Grafana's own word for why the state changed without the condition having been seen to be fine.</summary>
    private const string GrafanaReason = "grafana_state_reason";

    /// <summary>
    /// The sender ended the alert without having seen that things are well: Grafana's MissingSeries, NoData, Error, Paused,
    /// Updated and RuleDeleted (grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances),
    /// and Azure Resource Health that does not know. Prometheus, Alertmanager and the other services of Azure Monitor give no such reason.
    /// </summary>
    /// <returns>The sender's word; null when the alert is not over, or when it is over without such a reason.</returns>
    public static string? NoAllClear(Alert alert)
    {
        if (alert.Status != AlertStatus.Resolved)
        {
            return null;
        }

        if (alert.Annotations.TryGetValue(GrafanaReason, out var reason) && !string.IsNullOrWhiteSpace(reason))
        {
            return reason.Trim();
        }

        return alert.Source == "azure-monitor" && alert.Labels.TryGetValue("currentHealthStatus", out var health)
            && !string.IsNullOrWhiteSpace(health) && !health.Equals("Available", StringComparison.OrdinalIgnoreCase)
            ? health.Trim()
            : null;
    }
}
