namespace Runbooks.Model.Alerts;

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
