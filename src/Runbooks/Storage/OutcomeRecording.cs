namespace Runbooks.Storage;

/// <summary>Recording what has happened outside: neither a host that stops nor a store that is away for a while may make it unknown again.</summary>
internal static class OutcomeRecording
{
    /// <summary>While the host runs there is nothing better to do than to try: what is not recorded now is not known later.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    /// <summary>What it may take once the host is told to stop; within what hosts wait.</summary>
    private static readonly TimeSpan s_longestAfterStop = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>A hiccup is over by then.</summary>
    private const int AttemptsAtOnce = 3;

    /// <param name="change">Harmless to repeat: what an attempt may have written before it broke off is written once.</param>
    /// <param name="stopping">The host is told to stop.</param>
    public static async Task<Incident> RecordAsync(this IIncidentStore store, string id, Func<Incident, Incident> change, TimeProvider time, CancellationToken stopping)
    {
        using var own = new CancellationTokenSource(s_longest, time);
        await using var stop = stopping.Register(() => own.CancelAfter(s_longestAfterStop));
        return await RetryAsync(store, id, change, int.MaxValue, time, own.Token, stopping);
    }

    /// <summary>As above, for what somebody waits for: a hiccup is got over, and no more.</summary>
    public static async Task<Incident> RecordAtOnceAsync(this IIncidentStore store, string id, Func<Incident, Incident> change, TimeProvider time)
    {
        using var own = new CancellationTokenSource(s_longestAfterStop, time);
        return await RetryAsync(store, id, change, AttemptsAtOnce, time, own.Token, CancellationToken.None);
    }

    private static async Task<Incident> RetryAsync(
        IIncidentStore store, string id, Func<Incident, Incident> change, int most, TimeProvider time, CancellationToken own, CancellationToken stopping)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.UpdateAsync(id, change, own);
            }
            catch (StoreUnavailableException) when (attempt < most && !own.IsCancellationRequested)
            {
                if (attempt >= AttemptsAtOnce)
                {
                    await Task.Delay(s_pause, time, own).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                // What kept it from being recorded is the store's trouble, and not that the time for it is over.
                if (own.IsCancellationRequested && !stopping.IsCancellationRequested)
                {
                    throw;
                }
            }
        }
    }
}
