namespace Runbooks.Model.Alerts;

/// <summary>Who sends alerts, as <c>POST /api/alerts/{source}</c> and runbooks name them.</summary>
public static class AlertSource
{
    public const string AzureMonitor = "azure-monitor";
    public const string Alertmanager = "alertmanager";
    public const string Grafana = "grafana";
    public const string Generic = "generic";
    public const string EventGrid = "event-grid";

    /// <summary>A person starts a runbook by hand. All such starts share one fingerprint, so it identifies nothing.</summary>
    public const string Manual = "manual";

    public static readonly IReadOnlyList<string> All = [AzureMonitor, Alertmanager, Grafana, Generic, EventGrid, Manual];

    /// <summary>
    /// Whether the sender posts a whole group and acts on our answer. It repeats a refused post at each <c>group_interval</c> while an
    /// alert of the group fires; once none fires, it never sends the end (prometheus/alertmanager, notify.go: RetryStage,
    /// DedupStage.needsUpdate).
    /// </summary>
    public static bool SendsGroups(string source) => source is Alertmanager or Grafana;
}

/// <summary>What makes two messages the same alert, even when its labels changed.</summary>
public static class AlertIdentity
{
    private static readonly HashSet<string> s_over = new(StringComparer.OrdinalIgnoreCase) { "Mitigated", "Resolved", "RCA", "Complete", "Completed", "Canceled", "Cancelled" };

    /// <summary>Azure's alertId ignores case.</summary>
    public static string Of(string source, string fingerprint) =>
        source == AlertSource.AzureMonitor ? $"{source}:{fingerprint.ToLowerInvariant()}" : $"{source}:{fingerprint}";

    public static string Of(Alert alert) => Of(alert.Source, alert.Fingerprint);

    public static bool IsByHand(string source) => source == AlertSource.Manual;

    public static bool IsKnownAgain(string identity) => !identity.StartsWith($"{AlertSource.Manual}:", StringComparison.Ordinal);

    /// <summary>The alert's own first.</summary>
    public static IReadOnlyList<string> All(Alert alert) =>
        [.. ((string?[])[Of(alert), OfOutage(alert)]).OfType<string>().Where(IsKnownAgain)];

    /// <summary>In the generic form the caller chooses the identity, so the labels of a firing alert count too.</summary>
    public static bool NamesOneThing(Alert alert) =>
        alert.Source is AlertSource.AzureMonitor or AlertSource.Alertmanager or AlertSource.Grafana;

    /// <summary>As Service Health writes it: Active, Mitigated, Resolved, RCA. Null for any other alert.</summary>
    public static string? Stage(Alert alert) =>
        OfOutage(alert) is null ? null : alert.Labels.GetValueOrDefault("stage") ?? alert.Labels.GetValueOrDefault("status");

    public static bool EndsOutage(string stage) => s_over.Contains(stage.Trim());

    /// <summary>
    /// Azure Service Health sends separate alerts about one outage, with one tracking id. The id is the same in all subscriptions, so the
    /// subscription is part of the identity.
    /// </summary>
    /// <returns>Null for any other alert.</returns>
    public static string? OfOutage(Alert alert) =>
        alert.Source == AlertSource.AzureMonitor
        && IsOf(alert, "ServiceHealth")
        && TrackingId(alert) is { } id
            ? $"azure-service-health:{Subscription(alert)}:{id}".ToLowerInvariant()
            : null;

    public static string? TrackingId(Alert alert) =>
        alert.Labels.TryGetValue("trackingId", out var id) && !string.IsNullOrWhiteSpace(id) ? id.Trim() : null;

    /// <summary>Two events are never the same alert, even with the same text.</summary>
    public static bool IsEvent(Alert alert) =>
        alert.Source == AlertSource.AzureMonitor
        && (ServiceOf(alert).StartsWith("ActivityLog", StringComparison.OrdinalIgnoreCase)
            || IsOf(alert, "ServiceHealth")
            || IsOf(alert, "ResourceHealth"));

    internal static bool IsOfResourceHealth(Alert alert) => alert.Source == AlertSource.AzureMonitor && IsOf(alert, "ResourceHealth");

    /// <summary>Azure writes the names of its monitoring services with and without spaces.</summary>
    private static bool IsOf(Alert alert, string service) => ServiceOf(alert).Equals(service, StringComparison.OrdinalIgnoreCase);

    private static string ServiceOf(Alert alert) =>
        alert.Labels.GetValueOrDefault("monitoringService", "").Replace(" ", "", StringComparison.Ordinal);

    private static string? Subscription(Alert alert) =>
        alert.Resources.Count > 0 && alert.Resources[0].Split('/') is ["", var kind, var id, ..] && kind.Equals("subscriptions", StringComparison.OrdinalIgnoreCase)
            ? id
            : alert.Labels.GetValueOrDefault("subscription");
}

/// <summary>How targets are compared.</summary>
public static class TargetKey
{
    /// <summary>
    /// Ignores case for targets from Azure Monitor or an Azure event, and for resource ids. Labels from managed Prometheus and all other
    /// names keep their case. Unicode composition never matters.
    /// </summary>
    public static string Of(string target, Alert alert) =>
        IgnoresCase(target, alert) ? ComposedText.Of(target).ToLowerInvariant() : ComposedText.Of(target);

    private static bool IgnoresCase(string target, Alert alert) =>
        target.Contains("/subscriptions/", StringComparison.OrdinalIgnoreCase)
            || (alert.Source == AlertSource.AzureMonitor && !IsPrometheus(alert))
            || IsAzureEvent(alert);

    /// <summary>If Azure can start the runbook, its targets ignore case for all senders.</summary>
    public static string Named(string target, Alert alert, IReadOnlyList<Trigger> triggers) =>
        !IgnoresCase(target, alert)
        && triggers.Any(trigger => trigger.Source == AlertSource.AzureMonitor || IsAzureEvent(trigger.Source, trigger.Alert))
            ? target.ToLowerInvariant()
            : target;

    /// <summary>Compared by the rules of the alert that opened the incident with this key.</summary>
    public static bool IsSame(string target, string key, Alert openedBy, IReadOnlyList<Trigger> triggers) =>
        Of(Named(target, openedBy, triggers), openedBy) == key;

    /// <summary>The keys that a target may have when its sender is not known.</summary>
    public static IReadOnlyList<string> AllOf(string target) =>
        [.. ((string[])[ComposedText.Of(target), ComposedText.Of(target).ToLowerInvariant()]).Distinct()];

    private static bool IsAzureEvent(Alert alert) => IsAzureEvent(alert.Source, alert.Name);

    private static bool IsAzureEvent(string? source, string name) =>
        source == AlertSource.EventGrid && name.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase);

    private static bool IsPrometheus(Alert alert) =>
        alert.Labels.TryGetValue("monitoringService", out var service) && service.Equals("Prometheus", StringComparison.OrdinalIgnoreCase);
}

/// <summary>The rule behind one of Grafana's own alerts, such as DatasourceError. Those alerts lack the labels of the rule's series.</summary>
public static class GrafanaRule
{
    private static readonly HashSet<string> s_own = new(StringComparer.Ordinal) { "alertname", "rulename", "ref_id", "datasource_uid" };

    /// <summary>Also from Alertmanager, since Grafana may send to an external one whose webhook comes here.</summary>
    /// <returns>Null for any other alert.</returns>
    public static string? NameOf(Alert alert) =>
        alert is { Source: AlertSource.Grafana or AlertSource.Alertmanager, Name: "DatasourceError" or "DatasourceNoData" }
            ? alert.Labels.GetValueOrDefault("rulename")
            : null;

    /// <summary>
    /// Why such an alert ended although the rule is not measured again: it was paused, edited or deleted. If it is measured again, Grafana
    /// gives MissingSeries; older versions let the alert run out with the reason of its last firing (grafana/grafana,
    /// pkg/services/ngalert/state/manager.go, processMissingSeriesStates).
    /// </summary>
    /// <returns>Grafana's word. Null if the rule is measured again.</returns>
    internal static string? StoppedBecause(string reason) => reason is "MissingSeries" or "Error" or "NoData" ? null : reason;

    /// <summary>None of the rule's own labels differs, its folder included.</summary>
    public static bool MayBe(Alert alert, Alert told) => told.Labels.All(label =>
        s_own.Contains(label.Key)
            || AlertLabels.MayChange(label.Key)
            || !alert.Labels.TryGetValue(label.Key, out var value)
            || value == label.Value);
}

/// <summary>
/// Azure sends each change as a message of its own that fires, the recovery too, from Azure Monitor
/// (https://learn.microsoft.com/azure/service-health/resource-health-alert-monitor-guide) or Event Grid
/// (https://learn.microsoft.com/azure/event-grid/event-schema-health-resources).
/// </summary>
/// <param name="Now">Null if the message does not say it.</param>
/// <param name="Before">Null if the message does not say it.</param>
/// <param name="IsUpdate">A further message about an event that was already reported.</param>
public sealed record ResourceHealth(string? Now, string? Before, bool IsUpdate) : Evolving
{
    private const string Available = "Available";

    /// <returns>Null for any other alert.</returns>
    public static ResourceHealth? Of(Alert alert)
    {
        if (AlertIdentity.IsOfResourceHealth(alert))
        {
            var status = alert.Labels.GetValueOrDefault("status")?.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
            return new(
                alert.Labels.GetValueOrDefault("currentHealthStatus"),
                alert.Labels.GetValueOrDefault("previousHealthStatus"),
                status is "UPDATED" or "INPROGRESS");
        }

        if (alert.Source == AlertSource.EventGrid && alert.Name.EndsWith(".AvailabilityStatusChanged", StringComparison.OrdinalIgnoreCase)
            && alert.Labels.GetValueOrDefault("previousAvailabilityState") is { } before)
        {
            var now = alert.Labels.GetValueOrDefault("availabilityState");
            return new(now, before, Is(now, Available) == Is(before, Available));
        }

        return null;
    }

    /// <summary>
    /// An update that says Available, for a resource that was Available before, is about an event that goes on
    /// (github.com/Azure/azure-monitor-baseline-alerts/issues/898).
    /// </summary>
    public bool IsOver => Is(Now, Available) && (!IsUpdate || (Before is not null && !Is(Before, Available)));

    public bool IsNews => IsUpdate && !IsOver && (string.IsNullOrWhiteSpace(Now) || Is(Now, Available));

    /// <summary>Whether it continues a reported trouble. Only a worse state starts a new episode.</summary>
    public bool GoesOn => IsUpdate && !(Is(Now, "Unavailable") && (Is(Before, "Degraded") || Is(Before, "Unknown")));

    /// <summary>The alert with the status and times that count. For an event that goes on, EndsAt is the time of the message.</summary>
    public Alert Told(Alert firing) =>
        IsOver ? firing with { Status = AlertStatus.Resolved, StartsAt = null, EndsAt = firing.StartsAt }
        : GoesOn ? firing with { StartsAt = null, EndsAt = firing.StartsAt }
        : firing;

    private static bool Is(string? word, string wanted) => wanted.Equals(word?.Trim(), StringComparison.OrdinalIgnoreCase);
}
