using System.Collections.Frozen;

namespace Runbooks.Model.Alerts;

/// <summary>One alert in a common form for all senders. Attackers can influence all of its text: it is data, never markup or code.</summary>
public sealed record Alert : Evolving
{
    /// <summary><c>azure-monitor</c>, <c>alertmanager</c>, <c>grafana</c>, <c>generic</c>, <c>event-grid</c> or <c>manual</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The rule's name: Azure Monitor's alertRule, otherwise the label alertname.</summary>
    public required string Name { get; init; }

    public AlertStatus Status { get; init; } = AlertStatus.Firing;

    /// <summary>Shared by the firing, repeated and resolved messages of this alert: Azure Monitor's alertId, Alertmanager's fingerprint.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>As the sender writes it (Sev0, critical …). Null for none.</summary>
    public string? Severity { get; init; }

    /// <summary>One line.</summary>
    public string? Summary { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public DateTimeOffset? StartsAt { get; init; }

    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The sender's page for this alert; http or https only.</summary>
    public string? Link { get; init; }

    /// <summary>The runbook that the sender names. Null to match by trigger.</summary>
    public string? Runbook { get; init; }

    /// <summary>The sender's word for an unknown status. The alert then counts as firing. Null otherwise.</summary>
    public string? UnknownStatus { get; init; }

    /// <summary>A value there shows that it is a measurement, although the name does not. Null for none.</summary>
    public IReadOnlyList<string>? Measured { get; init; }

    /// <summary>Ids of Azure resources. Empty for other senders.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>
    /// The original, if its name or a label was hidden, until its runbook is found. It may contain a secret, so it is not public: never
    /// serialized, printed or kept.
    /// </summary>
    internal Alert? AsSent { get; init; }
}

public enum AlertStatus
{
    Firing,
    Resolved,

    /// <summary>A person at the sender has seen it. It neither fires again nor is it over.</summary>
    Acknowledged,
}

/// <summary>Ranks the senders' words for severity.</summary>
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

    /// <summary>The rank of an unknown word. Only the highest rank is certainly worse.</summary>
    public const int RankOfUnknown = 1;

    /// <returns>0 for the worst. Null for an unknown word, also a number alone, since some senders count up from the worst and some down.</returns>
    public static int? RankOf(string? severity) =>
        severity is not null && s_ranks.TryGetValue(s_between.Aggregate(severity, (word, mark) => word.Replace(mark, "", StringComparison.Ordinal)), out var rank) ? rank : null;

    /// <returns>Null if no word is known.</returns>
    public static string? Worst(params IEnumerable<string?> words) => words.Where(word => RankOf(word) is not null).MinBy(RankOf);
}

/// <summary>A measured value differs in each message, so it is neither part of a computed identity nor compared.</summary>
public static class AlertLabels
{
    private static readonly HashSet<string> s_measured = new(StringComparer.OrdinalIgnoreCase)
    {
        "value", "currentvalue", "lastvalue", "metricvalue", "measuredvalue", "timestamp",
    };

    private static readonly HashSet<string> s_howBad = new(StringComparer.OrdinalIgnoreCase)
    {
        "severity", "priority", "level", "status", "state",
    };

    public static bool IsMeasured(string name) => s_measured.Contains(Plain(name));

    /// <summary>A measurement or a severity. A severity still tells two alerts apart.</summary>
    public static bool MayChange(string name) => IsMeasured(name) || s_howBad.Contains(Plain(name));

    private static IEnumerable<KeyValuePair<string, string>> Telling(Alert alert) =>
        alert.Labels.Where(label => !IsMeasuredIn(alert, label.Key));

    /// <summary>Measured values are left out.</summary>
    public static string KeyOf(Alert alert) =>
        string.Join('\n', Telling(alert).OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key.Length}:{label.Key}={label.Value.Length}:{label.Value}"));

    /// <summary>Measured values are left out. Hidden values may differ, so they never count as the same.</summary>
    public static bool AreSame(Alert left, Alert right) =>
        left.Labels.Keys.Union(right.Labels.Keys).Where(name => !IsMeasuredIn(left, name) && !IsMeasuredIn(right, name)).All(name =>
            left.Labels.GetValueOrDefault(name) is { } value
                && right.Labels.GetValueOrDefault(name) == value
                && !value.Contains(Redactor.Hidden, StringComparison.Ordinal));

    private static bool IsMeasuredIn(Alert alert, string name) => IsMeasured(name) || alert.Measured?.Contains(name) == true;

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
}

public static class AlertEnd
{
    /// <summary>Grafana's reason for a change of state without having seen that all is well.</summary>
    private const string GrafanaReason = "grafana_state_reason";

    /// <summary>
    /// An end without having seen that things are well: Grafana's MissingSeries, NoData, Error, Paused, Updated and RuleDeleted
    /// (grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances), and an unknown state of Azure
    /// Resource Health. No other sender gives such a reason. The first three are the usual end of Grafana's own alerts about a rule
    /// (<see cref="GrafanaRule"/>).
    /// </summary>
    /// <returns>Null if the alert is not over, or ended without such a reason.</returns>
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

public static class AlertSecrets
{
    /// <summary>kube-state-metrics and cert-manager write the name of a Kubernetes secret into this label. The name itself is not secret.</summary>
    private const string KubernetesSecret = "secret";

    /// <summary>Such names contain versions, llm-tls-v2 and sh.helm.release.v1.llm.v12. A value with more digits may be a key.</summary>
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

    /// <summary>A value is also hidden if its name says that it is a secret.</summary>
    public static IReadOnlyDictionary<string, string> Hide(IReadOnlyDictionary<string, string> pairs)
    {
        var hidden = pairs.ToDictionary(pair => pair.Key, pair => Hide(pair.Key, pair.Value));
        return hidden.Any(pair => pair.Value != pairs[pair.Key]) ? hidden : pairs;
    }

    /// <summary>
    /// The SHA-256 of a key identifies the key but gives no access, as in LiteLLM's <c>hashed_api_key</c>. That of a password can be
    /// guessed and stays hidden.
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
