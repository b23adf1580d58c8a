using System.Collections.Frozen;

namespace Runbooks.Model.Alerts;

/// <summary>One alert in our own words, whoever sent it. All text in it is attacker-influenced: data, never markup or code.</summary>
public sealed record Alert : Evolving
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

    /// <summary>
    /// As the sender wrote it, where its name or a label was hidden, until its runbook is found. It may hold a secret: not public, so
    /// that it is neither serialized nor printed, and an incident never has it.
    /// </summary>
    internal Alert? AsSent { get; init; }
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
        ["sev0", "s0", "critical", "crit", "p0", "p1", "fatal", "emergency", "emerg", "page", "disaster", "alert", "urgent", "severe", "blocker"],
        ["sev1", "s1", "error", "err", "high", "p2", "major"],
        ["sev2", "s2", "warning", "warn", "medium", "moderate", "average", "p3", "minor"],
        ["sev3", "s3", "informational", "information", "info", "low", "notice", "p4"],
        ["sev4", "s4", "verbose", "debug", "none", "p5"],
    ];

    /// <summary>Sev 1, SEV-1 and sev_1 are one word.</summary>
    private static readonly string[] s_between = [" ", "-", "_"];

    private static readonly FrozenDictionary<string, int> s_ranks = s_words
        .SelectMany((words, rank) => words.Select(word => (word, rank)))
        .ToFrozenDictionary(pair => pair.word, pair => pair.rank, StringComparer.OrdinalIgnoreCase);

    /// <summary>How bad counts what was reported in no word that is known: worse than that is for certain only the worst.</summary>
    public const int RankOfUnknown = 1;

    /// <returns>
    /// 0 for the worst; null for a word that is not known. A number alone is none: some count up from the worst, some down.
    /// </returns>
    public static int? RankOf(string? severity) =>
        severity is not null && s_ranks.TryGetValue(s_between.Aggregate(severity, (word, mark) => word.Replace(mark, "", StringComparison.Ordinal)), out var rank) ? rank : null;

    /// <returns>The worst of these words; null where none of them is known.</returns>
    public static string? Worst(params IEnumerable<string?> words) => words.Where(word => RankOf(word) is not null).MinBy(RankOf);
}

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
    private static IEnumerable<KeyValuePair<string, string>> Telling(Alert alert) => alert.Labels.Where(label => !IsMeasuredIn(alert, label.Key));

    /// <summary>The same for two alerts with the same labels but for what was measured.</summary>
    public static string KeyOf(Alert alert) =>
        string.Join('\n', Telling(alert).OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key.Length}:{label.Key}={label.Value.Length}:{label.Value}"));

    /// <summary>Whether two alerts have the same labels but for what was measured. Values that were hidden may have been different ones.</summary>
    public static bool AreSame(Alert left, Alert right) =>
        left.Labels.Keys.Union(right.Labels.Keys).Where(name => !IsMeasuredIn(left, name) && !IsMeasuredIn(right, name)).All(name =>
            left.Labels.GetValueOrDefault(name) is { } value && right.Labels.GetValueOrDefault(name) == value && !value.Contains(Redactor.Hidden, StringComparison.Ordinal));

    private static bool IsMeasuredIn(Alert alert, string name) => IsMeasured(name) || alert.Measured?.Contains(name) == true;

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
}

/// <summary>What a sender means when it says that an alert is over.</summary>
public static class AlertEnd
{
    /// <summary>Grafana's own word for why the state changed without the condition having been seen to be fine.</summary>
    private const string GrafanaReason = "grafana_state_reason";

    /// <summary>
    /// The sender ended the alert without having seen that things are well: Grafana's MissingSeries, NoData, Error, Paused,
    /// Updated and RuleDeleted (grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances),
    /// and Azure Resource Health that does not know. Prometheus, Alertmanager and the other services of Azure Monitor give no such reason.
    /// The first three are the usual end of Grafana's own alerts about a rule (<see cref="GrafanaRule"/>).
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
            return GrafanaRule.NameOf(alert) is null ? reason.Trim() : GrafanaRule.StoppedBecause(reason.Trim());
        }

        return alert.Source == AlertSource.AzureMonitor && alert.Labels.TryGetValue("currentHealthStatus", out var health)
            && !string.IsNullOrWhiteSpace(health) && !health.Equals("Available", StringComparison.OrdinalIgnoreCase)
            ? health.Trim()
            : null;
    }
}

/// <summary>Hides what looks like a secret in an alert, before anything of it is kept or shown.</summary>
public static class AlertSecrets
{
    /// <summary>kube-state-metrics and cert-manager name a Kubernetes secret in this label: the name is none.</summary>
    private const string KubernetesSecret = "secret";

    /// <summary>Versions are in such names, llm-tls-v2 and sh.helm.release.v1.llm.v12; with more of them it may be a key.</summary>
    private const int MaxDigits = 4;

    public static Alert Hide(Alert alert)
    {
        var hidden = alert with
        {
            Name = Redactor.Redact(alert.Name),
            Summary = alert.Summary is null ? null : Redactor.Redact(alert.Summary),
            Link = alert.Link is null ? null : Redactor.Redact(alert.Link),
            Labels = Hide(alert.Labels),
            Annotations = Hide(alert.Annotations),
        };
        return hidden.Name == alert.Name && ReferenceEquals(hidden.Labels, alert.Labels) ? hidden : hidden with { AsSent = alert };
    }

    /// <summary>A value is also hidden when its name says what it is.</summary>
    public static IReadOnlyDictionary<string, string> Hide(IReadOnlyDictionary<string, string> pairs)
    {
        var hidden = pairs.ToDictionary(pair => pair.Key, pair => Hide(pair.Key, pair.Value));
        return hidden.Any(pair => pair.Value != pairs[pair.Key]) ? hidden : pairs;
    }

    /// <summary>
    /// The SHA-256 of a key tells one key from another and opens nothing, as in LiteLLM's <c>hashed_api_key</c>. That of a
    /// password may be guessed, and stays hidden.
    /// </summary>
    private static bool IsDigest(string name, string value) =>
        name.Contains("hash", StringComparison.OrdinalIgnoreCase) && value.Length == 64 && value.All(char.IsAsciiHexDigit)
        && !name.Contains("pass", StringComparison.OrdinalIgnoreCase) && !name.Contains("pwd", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc cref="Hide(IReadOnlyDictionary{string, string})"/>
    public static string Hide(string name, string value)
    {
        var isName = name == KubernetesSecret && value.AsSpan().ContainsAny('-', '.') && char.IsAsciiLetterLower(value[0])
            && value.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '.') && value.Count(char.IsAsciiDigit) <= MaxDigits;
        var named = isName || IsDigest(name, value) ? value : Redactor.Redact($"{name}={value}");
        return named.StartsWith($"{name}=", StringComparison.Ordinal) ? named[(name.Length + 1)..] : Redactor.Redact(value);
    }
}
