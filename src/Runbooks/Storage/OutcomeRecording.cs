namespace Runbooks.Storage;

/// <summary>Records what has happened outside, also when the host stops or the store is away for a while.</summary>
internal static class OutcomeRecording
{
    /// <summary>While the host runs: an outcome that is not recorded now is lost.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    /// <summary>Once the host is told to stop. Less than hosts wait.</summary>
    private static readonly TimeSpan s_longestAfterStop = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>Enough for a short interruption.</summary>
    private const int AttemptsAtOnce = 3;

    /// <param name="change">Has to be harmless to repeat, since an attempt that failed may have written it.</param>
    public static async Task<Incident> RecordAsync(
        this IIncidentStore store, string id, Func<Incident, Incident> change, TimeProvider time, CancellationToken stopping)
    {
        using var own = new CancellationTokenSource(s_longest, time);
        await using var stop = stopping.Register(() => own.CancelAfter(s_longestAfterStop));
        return await RetryAsync(store, id, change, int.MaxValue, time, own.Token, stopping);
    }

    /// <summary>The same where somebody waits: only a few attempts.</summary>
    public static async Task<Incident> RecordAtOnceAsync(
        this IIncidentStore store, string id, Func<Incident, Incident> change, TimeProvider time)
    {
        using var own = new CancellationTokenSource(s_longestAfterStop, time);
        return await RetryAsync(store, id, change, AttemptsAtOnce, time, own.Token, CancellationToken.None);
    }

    private static async Task<Incident> RetryAsync(
        IIncidentStore store,
        string id,
        Func<Incident, Incident> change,
        int most,
        TimeProvider time,
        CancellationToken own,
        CancellationToken stopping)
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

                // Throws the store's exception, not that the time is over.
                if (own.IsCancellationRequested && !stopping.IsCancellationRequested)
                {
                    throw;
                }
            }
        }
    }
}
