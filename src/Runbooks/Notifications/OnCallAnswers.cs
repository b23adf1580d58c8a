namespace Runbooks.Notifications;

/// <summary>
/// Asks schedules who is on call, at most every few minutes and one caller at a time. The last good answer is kept, also in the store, for
/// an outage that has hit the schedule too.
/// </summary>
public sealed class OnCallAnswers
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan s_storePatience = TimeSpan.FromSeconds(2);

    /// <summary>Pause after a failure, so that two hundred incidents do not each wait for the same schedule.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(30);

    /// <summary>An unchanged answer is written to the store again after this fraction of <see cref="OnCallOptions.KeepFor"/>.</summary>
    private const int WritesOver = 8;

    private readonly Dictionary<string, IOnCallSource> _sources;
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly IOptionsMonitor<OnCallOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<OnCallAnswers> _logger;
    private readonly ISharedState? _state;

    /// <param name="state">Null in a command that only reads files: then no answer is kept.</param>
    /// <exception cref="ArgumentException">Two sources have the same kind.</exception>
    public OnCallAnswers(
        IEnumerable<IOnCallSource> sources,
        IOptionsMonitor<OnCallOptions> options,
        TimeProvider time,
        ILogger<OnCallAnswers> logger,
        ISharedState? state = null)
    {
        _sources = sources.ToDictionary(source => source.Kind, StringComparer.Ordinal);
        (_options, _time, _logger, _state) = (options, time, logger, state);
    }

    public string Describe(OnCallSchedule schedule) =>
        _sources.TryGetValue(schedule.Kind, out var source) ? source.Describe(schedule.Id) : $"the {schedule.Kind} schedule";

    /// <summary>Who is on call now. Never throws: the answer has the failure.</summary>
    public async Task<OnCallAnswer> AskAsync(OnCallSchedule schedule, CancellationToken cancellationToken)
    {
        var known = _known.GetOrAdd($"{schedule.Kind}:{schedule.Id}:{schedule.TimeZone}", _ => new Known());
        if (!IsFresh(known.Last))
        {
            await known.Turn.WaitAsync(cancellationToken);
            try
            {
                if (!IsFresh(known.Last) && !(known.FailedAt is { } failed && _time.GetElapsedTime(failed) < s_rest))
                {
                    await RefreshAsync(schedule, known, cancellationToken);
                }
            }
            finally
            {
                known.Turn.Release();
            }
        }

        // An answer may be stale by now although it was fresh when it came. It is still the newest, and nothing failed.
        return known switch
        {
            { Last: { } last } when IsUsable(last) => new([.. last.Roster.At(_time.GetUtcNow())], known.Failure is null ? null : last.At, known.Failure),

            // The shift is over by our clock, but not by that of the schedule.
            { Failure: null, Last.Roster: { KnownUntil: { } end } roster } => new([.. roster.At(end.AddTicks(-1))], null, null),
            _ => new([], null, known.Failure ?? "it gave no answer."),
        };
    }

    private bool IsFresh(Kept? kept) => kept is not null && IsYoungerThan(kept, _options.CurrentValue.CacheFor);

    private bool IsUsable(Kept kept) => IsFresh(kept) || IsYoungerThan(kept, _options.CurrentValue.KeepFor);

    // A time in the future has an unknown age, since the clock of this host or of another was ahead.
    private bool IsYoungerThan(Kept kept, TimeSpan age) =>
        _time.GetUtcNow() is var now && (now - kept.At).Duration() < age && !(kept.Roster.KnownUntil <= now);

    private async Task RefreshAsync(OnCallSchedule schedule, Known known, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var now = _time.GetUtcNow();
            var source = _sources.GetValueOrDefault(schedule.Kind) ?? throw new OnCallException("this host cannot ask such schedules.");
            if (source.ConfigurationError is { } missing)
            {
                throw new OnCallException(missing);
            }

            var roster = await ReadAsync();
            if (roster.KnownUntil <= _time.GetUtcNow())
            {
                // A shift ended while it answered, so the answer does not know the next person.
                now = _time.GetUtcNow();
                roster = await ReadAsync();
            }

            (known.Last, known.Failure, known.FailedAt) = (new(now, roster), null, null);
            await KeepAsync(schedule, known, cancellationToken);

            // WaitAsync ends the wait even where the source ignores its token.
            Task<OnCallRoster> ReadAsync() =>
                source.ReadAsync(schedule, now, now + _options.CurrentValue.KeepFor, either.Token).WaitAsync(either.Token);
        }
        // A schedule may fail in any way. The fallback is asked then, and the record says why.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            known.Failure = failure is OnCallException ? CleanText.Said(failure.Message)
                : patience.IsCancellationRequested ? $"it did not answer within {s_patience.TotalSeconds:0} s."
                : $"{failure.GetType().Name}.";
            known.FailedAt = _time.GetTimestamp();
            Log.ScheduleFailed(_logger, Describe(schedule), known.Failure);

            // Another host may have a later answer.
            if (await RecallAsync(schedule, cancellationToken) is { } kept && !(kept.At < known.Last?.At))
            {
                known.Last = kept;
            }
        }
    }

    private async Task KeepAsync(OnCallSchedule schedule, Known known, CancellationToken cancellationToken)
    {
        var text = JsonSerializer.Serialize(known.Last!.Roster.Shifts);
        if (_state is null || (text == known.Written && known.Last.At - known.WrittenAt < _options.CurrentValue.KeepFor / WritesOver))
        {
            return;
        }

        using var patience = new CancellationTokenSource(s_storePatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await _state.ChangeAsync<Kept>(KeyOf(schedule), kept => kept?.At > known.Last.At ? kept : known.Last, either.Token).WaitAsync(either.Token);
            (known.Written, known.WrittenAt) = (text, known.Last.At);
        }
        // The answer is good, whatever is wrong with the store.
        catch (Exception trouble)
        {
            Log.ScheduleNotKept(_logger, Describe(schedule), trouble);
        }
    }

    private async Task<Kept?> RecallAsync(OnCallSchedule schedule, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_storePatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            // On another thread, since the call itself may block on a disk that hangs.
            return _state is null
                ? null
                : await Task.Run(() => _state.FindAsync<Kept>(KeyOf(schedule), either.Token), either.Token).WaitAsync(either.Token);
        }
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.ScheduleNotKept(_logger, Describe(schedule), trouble);
            return null;
        }
    }

    // Hashed, since an id may be an address that is a secret.
    private static string KeyOf(OnCallSchedule schedule) =>
        $"oncall-{TextHash.Of($"{schedule.Kind}:{schedule.Id}:{schedule.TimeZone}", bytes: 8)}";

    private sealed record Kept(DateTimeOffset At, OnCallRoster Roster);

    private sealed class Known
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public Kept? Last { get; set; }

        public string? Failure { get; set; }

        public long? FailedAt { get; set; }

        public string? Written { get; set; }

        public DateTimeOffset? WrittenAt { get; set; }
    }
}

/// <param name="KnownAt">The time of a kept answer; null where the schedule was asked now.</param>
/// <param name="Failure">Why it cannot be asked; null where it was.</param>
public sealed record OnCallAnswer(IReadOnlyList<OnCallShift> Now, DateTimeOffset? KnownAt, string? Failure);
