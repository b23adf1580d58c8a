using System.Collections.Frozen;

namespace Runbooks.Model.Alerts;

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
}
