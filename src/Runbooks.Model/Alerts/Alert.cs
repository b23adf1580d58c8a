namespace Runbooks.Model.Alerts;

/// <summary>One alert in our own words, whoever sent it. All text in it is attacker-influenced: data, never markup or code.</summary>
public sealed record Alert
{
    /// <summary>The sender's kind: <c>azure-monitor</c>, <c>alertmanager</c>, <c>grafana</c>, <c>generic</c>, <c>event-grid</c> or <c>manual</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The rule's name: Azure Monitor's alertRule, the label alertname elsewhere.</summary>
    public required string Name { get; init; }

    public AlertStatus Status { get; init; } = AlertStatus.Firing;

    /// <summary>
    /// The sender's stable identity of this alert: firing, repeated and resolved messages about the same thing share
    /// it. Azure Monitor's alertId, Alertmanager's fingerprint.
    /// </summary>
    public required string Fingerprint { get; init; }

    /// <summary>As the sender writes it (Sev0, critical …); null when it says none.</summary>
    public string? Severity { get; init; }

    /// <summary>What the alert is about, in one line.</summary>
    public string? Summary { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public DateTimeOffset? StartsAt { get; init; }

    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>Where the sender shows this alert; http or https only.</summary>
    public string? Link { get; init; }

    /// <summary>The runbook that the sender names outright; null to match by trigger.</summary>
    public string? Runbook { get; init; }

    /// <summary>The Azure resource ids the alert is about; empty for other senders.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];
}

public enum AlertStatus
{
    Firing,
    Resolved,

    /// <summary>A person at the sender has seen it. It neither fires anew nor is it over.</summary>
    Acknowledged,
}
