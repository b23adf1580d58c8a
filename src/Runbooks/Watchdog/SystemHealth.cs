namespace Runbooks.Watchdog;

/// <summary>
/// Whether the store and the engine work. What does not answer is down: on a disk that hangs nothing fails, it only never comes to an end.
/// </summary>
public sealed class SystemHealth(IIncidentStore store, IIncidentEngine engine, TimeProvider time)
{
    /// <summary>Longer than those need that find out by themselves what does not answer them.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(10);

    private readonly Question _store = new("The store", store.CheckHealthAsync, time);
    private readonly Question _engine = new("The task hub", engine.CheckHealthAsync, time);

    private volatile Found? _last;

    /// <returns>What is wrong with each, in words; null for what works.</returns>
    public async Task<(string? Store, string? Engine)> LookAsync(CancellationToken cancellationToken)
    {
        var troubles = await Task.WhenAll(_store.AskAsync(cancellationToken), _engine.AskAsync(cancellationToken));
        _last = new(troubles[0], troubles[1], time.GetTimestamp());
        return (troubles[0], troubles[1]);
    }

    /// <summary>What was found within the last ten seconds, or else is now: a look writes, and whoever likes may ask as often as they like.</summary>
    /// <inheritdoc cref="LookAsync"/>
    public async Task<(string? Store, string? Engine)> FindRecentAsync(CancellationToken cancellationToken) =>
        _last is { } last && time.GetElapsedTime(last.At) < s_fresh ? (last.Store, last.Engine) : await LookAsync(cancellationToken);

    private sealed record Found(string? Store, string? Engine, long At);

    /// <summary>Asked once at a time: of many who wait for one that hangs, each would hang another write on it.</summary>
    private sealed class Question(string whom, Func<CancellationToken, Task<string?>> ask, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private Task<string?> _asked = Task.FromResult<string?>(null);

        public async Task<string?> AskAsync(CancellationToken cancellationToken)
        {
            try
            {
                return await AskOnce().WaitAsync(Longest, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return $"{whom} does not answer: its disk hangs, or the network to it.";
            }
        }

        private Task<string?> AskOnce()
        {
            lock (_gate)
            {
                // Not with the token of one who asks: others wait for the same answer.
                return _asked.IsCompleted ? _asked = ask(CancellationToken.None) : _asked;
            }
        }
    }
}
