using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Storage;

/// <summary>Recording what has happened outside: neither a host that stops nor a store that hiccups may make it unknown again.</summary>
internal static class OutcomeRecording
{
    /// <summary>What it may take once the host is told to stop; within what hosts wait.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private const int Attempts = 3;

    /// <param name="change">Harmless to repeat.</param>
    public static async Task<Incident> RecordAsync(this IIncidentStore store, string id, Func<Incident, Incident> change, TimeProvider time)
    {
        using var own = new CancellationTokenSource(Longest, time);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.UpdateAsync(id, change, own.Token);
            }
            catch (StoreUnavailableException) when (attempt < Attempts)
            {
                // What it may have written before it broke off is written once.
            }
        }
    }
}
