namespace Runbooks.Model.Alerts;

/// <summary>Who sends alerts, as <c>POST /api/alerts/{source}</c> and runbooks name them.</summary>
public static class AlertSource
{
    public const string AzureMonitor = "azure-monitor";
    public const string Alertmanager = "alertmanager";
    public const string Grafana = "grafana";
    public const string Generic = "generic";
    public const string EventGrid = "event-grid";

    /// <summary>A person who starts a runbook by hand. What they start shares one fingerprint: it tells nothing apart.</summary>
    public const string Manual = "manual";

    public static readonly IReadOnlyList<string> All = [AzureMonitor, Alertmanager, Grafana, Generic, EventGrid, Manual];

    /// <summary>
    /// Whether it posts a whole group of alerts, and goes by our answer: one that was refused is sent again at each <c>group_interval</c> while
    /// something in it fires, and once nothing does its end is never sent (prometheus/alertmanager, notify.go: RetryStage, DedupStage.needsUpdate).
    /// </summary>
    public static bool SendsGroups(string source) => source is Alertmanager or Grafana;
}

/// <summary>By what an alert is known again, whatever its labels say by then.</summary>
public static class AlertIdentity
{
    private static readonly HashSet<string> s_over = new(StringComparer.OrdinalIgnoreCase) { "Mitigated", "Resolved", "RCA", "Complete", "Completed", "Canceled", "Cancelled" };

    /// <summary>The sender and its own name for the alert: Azure's alertId, in which case means nothing; the fingerprint of the others.</summary>
    public static string Of(string source, string fingerprint) =>
        source == AlertSource.AzureMonitor ? $"{source}:{fingerprint.ToLowerInvariant()}" : $"{source}:{fingerprint}";

    public static string Of(Alert alert) => Of(alert.Source, alert.Fingerprint);

    /// <summary>Whether a person started it: nothing fires, and nothing fires again.</summary>
    public static bool IsByHand(string source) => source == AlertSource.Manual;

    /// <summary>An identity by which a message may be brought to an incident: everything but a start by hand.</summary>
    public static bool IsKnownAgain(string identity) => !identity.StartsWith($"{AlertSource.Manual}:", StringComparison.Ordinal);

    /// <summary>Every identity by which a message may be brought to an incident, the alert's own first.</summary>
    public static IReadOnlyList<string> All(Alert alert) =>
        [.. ((string?[])[Of(alert), OfOutage(alert)]).OfType<string>().Where(IsKnownAgain)];

    /// <summary>Whether the sender makes identities that never name two things. In the generic form whoever posts chooses them, so there the labels of a firing alert count.</summary>
    public static bool NamesOneThing(Alert alert) => alert.Source is AlertSource.AzureMonitor or AlertSource.Alertmanager or AlertSource.Grafana;

    /// <summary>The stage of an outage as Service Health writes it: Active, Mitigated, Resolved, RCA; null for any other alert.</summary>
    public static string? Stage(Alert alert) =>
        OfOutage(alert) is null ? null : alert.Labels.GetValueOrDefault("stage") ?? alert.Labels.GetValueOrDefault("status");

    /// <summary>Whether a stage says that an outage, or planned work, is over.</summary>
    public static bool EndsOutage(string stage) => s_over.Contains(stage.Trim());

    /// <summary>Azure Service Health's messages about one outage are alerts of their own, and share its tracking id: within a subscription, because one id names the event for all of them.</summary>
    /// <returns>The identity of the outage; null for any other alert.</returns>
    public static string? OfOutage(Alert alert) =>
        alert.Source == AlertSource.AzureMonitor
        && IsOf(alert, "ServiceHealth")
        && TrackingId(alert) is { } id
            ? $"azure-service-health:{Subscription(alert)}:{id}".ToLowerInvariant()
            : null;

    /// <summary>What Azure calls an outage by.</summary>
    public static string? TrackingId(Alert alert) => alert.Labels.TryGetValue("trackingId", out var id) && !string.IsNullOrWhiteSpace(id) ? id.Trim() : null;

    /// <summary>An event of the activity log, Service Health or Resource Health: each is another one, however much it says the same.</summary>
    public static bool IsEvent(Alert alert) =>
        alert.Source == AlertSource.AzureMonitor && (ServiceOf(alert).StartsWith("ActivityLog", StringComparison.OrdinalIgnoreCase) || IsOf(alert, "ServiceHealth") || IsOf(alert, "ResourceHealth"));

    internal static bool IsOfResourceHealth(Alert alert) => alert.Source == AlertSource.AzureMonitor && IsOf(alert, "ResourceHealth");

    /// <summary>Azure writes the names of its monitoring services with spaces and without.</summary>
    private static bool IsOf(Alert alert, string service) => ServiceOf(alert).Equals(service, StringComparison.OrdinalIgnoreCase);

    private static string ServiceOf(Alert alert) => alert.Labels.GetValueOrDefault("monitoringService", "").Replace(" ", "", StringComparison.Ordinal);

    private static string? Subscription(Alert alert) =>
        alert.Resources.Count > 0 && alert.Resources[0].Split('/') is ["", var kind, var id, ..] && kind.Equals("subscriptions", StringComparison.OrdinalIgnoreCase)
            ? id
            : alert.Labels.GetValueOrDefault("subscription");
}

/// <summary>How targets are compared: as the world does in which they are names.</summary>
public static class TargetKey
{
    /// <summary>
    /// Names and ids of Azure resources ignore case, so what Azure Monitor reports does too, and a resource id whoever sends it.
    /// So do the names in Azure's own events, such as that of a key vault.
    /// What managed Prometheus reports are labels of workloads: those, and everybody else's names, are compared as they are written, however
    /// their letters are composed.
    /// </summary>
    public static string Of(string target, Alert alert) => IgnoresCase(target, alert) ? ComposedText.Of(target).ToLowerInvariant() : ComposedText.Of(target);

    private static bool IgnoresCase(string target, Alert alert) =>
        target.Contains("/subscriptions/", StringComparison.OrdinalIgnoreCase) || (alert.Source == AlertSource.AzureMonitor && !IsPrometheus(alert)) || IsAzureEvent(alert);

    /// <summary>A runbook that Azure starts has targets that ignore case, whoever else names one: another sender, or a person.</summary>
    /// <returns>The target as an incident of this runbook shows it.</returns>
    public static string Named(string target, Alert alert, IReadOnlyList<Trigger> triggers) =>
        !IgnoresCase(target, alert) && triggers.Any(trigger => trigger.Source == AlertSource.AzureMonitor || IsAzureEvent(trigger.Source, trigger.Alert)) ? target.ToLowerInvariant() : target;

    /// <summary>Whether a target that somebody else names is the one of an incident with this key, as that incident's world compares it.</summary>
    public static bool IsSame(string target, string key, Alert openedBy, IReadOnlyList<Trigger> triggers) => Of(Named(target, openedBy, triggers), openedBy) == key;

    /// <summary>Under what keys it may be known, where it is not said who named it.</summary>
    public static IReadOnlyList<string> AllOf(string target) => [.. ((string[])[ComposedText.Of(target), ComposedText.Of(target).ToLowerInvariant()]).Distinct()];

    private static bool IsAzureEvent(Alert alert) => IsAzureEvent(alert.Source, alert.Name);

    private static bool IsAzureEvent(string? source, string name) => source == AlertSource.EventGrid && name.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase);

    private static bool IsPrometheus(Alert alert) =>
        alert.Labels.TryGetValue("monitoringService", out var service) && service.Equals("Prometheus", StringComparison.OrdinalIgnoreCase);
}

/// <summary>The rule that one of Grafana's own alerts is about, such as DatasourceError. The labels of its series are missing there.</summary>
public static class GrafanaRule
{
    private static readonly HashSet<string> s_own = new(StringComparer.Ordinal) { "alertname", "rulename", "ref_id", "datasource_uid" };

    /// <summary>Grafana may send to another Alertmanager, whose webhook brings them here.</summary>
    /// <returns>Null for any other alert.</returns>
    public static string? NameOf(Alert alert) => alert is { Source: AlertSource.Grafana or AlertSource.Alertmanager, Name: "DatasourceError" or "DatasourceNoData" } ? alert.Labels.GetValueOrDefault("rulename") : null;

    /// <summary>
    /// Why such an alert is over although the rule is not measured again: it was paused, edited or deleted. When it can be measured, the state
    /// of the failure is missing in the evaluation, which Grafana calls MissingSeries; an older Grafana lets the alert run out, with the
    /// reason of its last firing (grafana/grafana, pkg/services/ngalert/state/manager.go, processMissingSeriesStates).
    /// </summary>
    /// <returns>Grafana's word; null for a rule that is measured again.</returns>
    internal static string? StoppedBecause(string reason) => reason is "MissingSeries" or "Error" or "NoData" ? null : reason;

    /// <summary>Whether an alert may be of that very rule: none of the rule's own labels, its folder among them, says otherwise.</summary>
    public static bool MayBe(Alert alert, Alert told) => told.Labels.All(label =>
        s_own.Contains(label.Key) || AlertLabels.MayChange(label.Key) || !alert.Labels.TryGetValue(label.Key, out var value) || value == label.Value);
}

/// <summary>
/// What Azure tells of the health of a resource: each change in a message of its own that fires, the recovery too, from Azure Monitor
/// (https://learn.microsoft.com/azure/service-health/resource-health-alert-monitor-guide) or from Event Grid
/// (https://learn.microsoft.com/azure/event-grid/event-schema-health-resources).
/// </summary>
/// <param name="Now">How the resource is; null where the message does not say it.</param>
/// <param name="Before">How it was; null where the message does not say it.</param>
/// <param name="IsUpdate">It is one more message about an event that was told already.</param>
public sealed record ResourceHealth(string? Now, string? Before, bool IsUpdate) : Evolving
{
    private const string Available = "Available";

    /// <returns>Null for any other alert.</returns>
    public static ResourceHealth? Of(Alert alert)
    {
        if (AlertIdentity.IsOfResourceHealth(alert))
        {
            var status = alert.Labels.GetValueOrDefault("status")?.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
            return new(alert.Labels.GetValueOrDefault("currentHealthStatus"), alert.Labels.GetValueOrDefault("previousHealthStatus"), status is "UPDATED" or "INPROGRESS");
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
    /// The trouble is over: an update that says Available, of a resource that was so before, tells of an event that goes on
    /// (github.com/Azure/azure-monitor-baseline-alerts/issues/898).
    /// </summary>
    public bool IsOver => Is(Now, Available) && (!IsUpdate || (Before is not null && !Is(Before, Available)));

    /// <summary>It says nothing of the resource that would begin or end an alert.</summary>
    public bool IsNews => IsUpdate && !IsOver && (string.IsNullOrWhiteSpace(Now) || Is(Now, Available));

    /// <summary>It goes on with a trouble that was told before: only what is worse than that is an episode of its own.</summary>
    public bool GoesOn => IsUpdate && !(Is(Now, "Unavailable") && (Is(Before, "Degraded") || Is(Before, "Unknown")));

    /// <summary>The alert as it counts, of one that fires as every message of this kind does. Of one that goes on, the end is when it was told.</summary>
    public Alert Told(Alert firing) =>
        IsOver ? firing with { Status = AlertStatus.Resolved, StartsAt = null, EndsAt = firing.StartsAt }
        : GoesOn ? firing with { StartsAt = null, EndsAt = firing.StartsAt }
        : firing;

    private static bool Is(string? word, string wanted) => wanted.Equals(word?.Trim(), StringComparison.OrdinalIgnoreCase);
}
