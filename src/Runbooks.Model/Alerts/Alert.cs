using System.Collections.Frozen;

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

    /// <summary>The sender's word for the status where nobody knows it and the alert counts as firing; null otherwise.</summary>
    public string? UnknownStatus { get; init; }

    /// <summary>Labels whose value, unlike their name, tells that they hold what was measured, and not which thing it is about; null where there are none.</summary>
    public IReadOnlyList<string>? Measured { get; init; }

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

/// <summary>Orders the words that senders use for how bad it is.</summary>
public static class AlertSeverity
{
    private static readonly string[][] s_words =
    [
        ["sev0", "critical", "crit", "p1", "fatal", "emergency", "emerg", "page", "disaster", "alert"],
        ["sev1", "error", "err", "high", "p2", "major"],
        ["sev2", "warning", "warn", "medium", "average", "p3", "minor"],
        ["sev3", "informational", "information", "info", "low", "notice", "p4"],
        ["sev4", "verbose", "debug", "none", "p5"],
    ];

    private static readonly FrozenDictionary<string, int> s_ranks = s_words
        .SelectMany((words, rank) => words.Select(word => (word, rank)))
        .ToFrozenDictionary(pair => pair.word, pair => pair.rank, StringComparer.OrdinalIgnoreCase);

    /// <returns>0 for the worst; null for a word that is not known, which is compared with nothing.</returns>
    public static int? RankOf(string? severity) =>
        severity is not null && s_ranks.TryGetValue(severity.Trim(), out var rank) ? rank : null;

    /// <returns>The worst of these words; null where none of them is known.</returns>
    public static string? Worst(params IEnumerable<string?> words) => words.Where(word => RankOf(word) is not null).MinBy(RankOf);
}
