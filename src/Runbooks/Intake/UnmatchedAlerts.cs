namespace Runbooks.Intake;

/// <summary>
/// For people who wonder why nothing happened. Kept in the shared state, so that a restart does not lose them and all hosts show the same.
/// Alerts that are alike are one line. Senders must not rely on it: what cannot be kept is only in the log.
/// </summary>
public sealed class UnmatchedAlerts(ISharedState state, TimeProvider time, ILogger<UnmatchedAlerts> logger)
{
    public const int MaxLines = 60;

    private const string Key = "intake:unmatched";
    private const int MaxLabels = 8;
    private const int LongestText = 300;
    private const int LongestLabel = 80;

    /// <summary>Answers to senders are not delayed for longer than this.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private List<UnmatchedAlert> _waiting = [];
    private Task _writing = Task.CompletedTask;

    /// <summary>The write that has not begun yet; it takes everything that comes before it does.</summary>
    private Task? _next;

    /// <summary>The latest first.</summary>
    public async Task<IReadOnlyList<UnmatchedAlert>> ReadAsync(CancellationToken cancellationToken) =>
        (await state.FindAsync<UnmatchedList>(Key, cancellationToken))?.Alerts ?? [];

    /// <summary>Posts that come during a write are written together after it.</summary>
    public async Task RecordAsync(IEnumerable<(Alert Alert, string Reason)> alerts, CancellationToken cancellationToken)
    {
        var lines = alerts
            .Where(entry => entry.Alert.Status == AlertStatus.Firing)
            .Select(entry => Of(entry.Alert, entry.Reason, time.GetUtcNow()))
            .ToList();
        if (lines.Count == 0)
        {
            return;
        }

        Task written;
        lock (_gate)
        {
            _waiting.AddRange(lines);
            written = _next ??= WriteAfterAsync(_writing);
        }

        try
        {
            await written.WaitAsync(s_patience, time, cancellationToken);
        }
        // A missing line on the page must not make the sender repeat the alert.
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.UnmatchedNotKept(logger, trouble);
        }
    }

    private async Task WriteAfterAsync(Task before)
    {
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        List<UnmatchedAlert> lines;
        lock (_gate)
        {
            (_writing, _next) = (_next!, null);
            (lines, _waiting) = (_waiting, []);
        }

        // Not the caller's token: a sender that hangs up must not lose the lines of others.
        await state.ChangeAsync<UnmatchedList>(Key, known => lines.Aggregate(known ?? new([]), Add), CancellationToken.None);
    }

    private static UnmatchedList Add(UnmatchedList list, UnmatchedAlert alert)
    {
        var earlier = list.Alerts.FirstOrDefault(
            known => known.Source == alert.Source && known.Name == alert.Name && known.Reason == alert.Reason);
        var merged = earlier is null ? alert : alert with { Count = earlier.Count + alert.Count, FirstAt = earlier.FirstAt };
        return new([merged, .. list.Alerts.Where(known => known != earlier).Take(MaxLines - 1)]);
    }

    private static UnmatchedAlert Of(Alert alert, string reason, DateTimeOffset now) => new(
        alert.Source,
        Clip.To(alert.Name, LongestText),
        alert.Severity is { } severity ? Clip.To(severity, LongestLabel) : null,
        alert.Summary is { } summary ? Clip.To(Redactor.Redact(summary), LongestText) : null,
        [.. alert.Labels.Take(MaxLabels).Select(label => Clip.To(Redactor.Redact($"{label.Key}={label.Value}"), LongestLabel))],
        Clip.To(reason, 2 * LongestText),
        1,
        now,
        now);

    private sealed record UnmatchedList(IReadOnlyList<UnmatchedAlert> Alerts);
}

/// <param name="Labels">Of the latest, as <c>name=value</c>.</param>
public sealed record UnmatchedAlert(
    string Source,
    string Name,
    string? Severity,
    string? Summary,
    IReadOnlyList<string> Labels,
    string Reason,
    int Count,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt);
