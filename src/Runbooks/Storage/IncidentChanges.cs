using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Runbooks.Telemetry;

namespace Runbooks.Storage;

/// <summary>
/// Tells waiting readers in this process that an incident was written. It only saves polling: changes by another process are not heard, so a
/// reader also has to check now and then.
/// </summary>
public sealed class IncidentChanges
{
    private readonly ConcurrentDictionary<string, ImmutableList<IncidentWatch>> _watches = new(StringComparer.Ordinal);

    /// <summary>Open the watch before reading, so that no change between reading and waiting is missed.</summary>
    public IncidentWatch Watch(string incidentId)
    {
        var watch = new IncidentWatch(this, incidentId);
        _watches.AddOrUpdate(incidentId, [watch], (_, others) => others.Add(watch));
        return watch;
    }

    public void Publish(Incident incident)
    {
        if (_watches.TryGetValue(incident.Id, out var watches))
        {
            watches.ForEach(watch => watch.Signal(incident.State));
        }
    }

    internal void Remove(IncidentWatch watch)
    {
        var left = _watches.AddOrUpdate(watch.IncidentId, [], (_, all) => all.Remove(watch));
        if (left.IsEmpty)
        {
            // Removes only the empty list. A list that has grown since is not equal to it.
            _watches.TryRemove(KeyValuePair.Create(watch.IncidentId, left));
        }
    }
}

public sealed class IncidentWatch : IDisposable
{
    private readonly IncidentChanges _changes;
    private TaskCompletionSource _changed = New();

    /// <summary>The state whose change the reader waits for; null while it may be about to read.</summary>
    private object? _seen;

    internal IncidentWatch(IncidentChanges changes, string incidentId) => (_changes, IncidentId) = (changes, incidentId);

    internal string IncidentId { get; }

    /// <summary>Returns at the next change to another state or after the time; at once when there was a change since the last call.</summary>
    public async Task WaitAsync(IncidentState seen, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _seen, seen);
        try
        {
            await Volatile.Read(ref _changed).Task.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The reader checks without having been told.
        }
        finally
        {
            // From here on every change counts, since the reader has not read yet.
            Volatile.Write(ref _seen, null);
            if (_changed.Task.IsCompleted)
            {
                Volatile.Write(ref _changed, New());
            }
        }
    }

    public void Dispose() => _changes.Remove(this);

    internal void Signal(IncidentState state)
    {
        if (!state.Equals(Volatile.Read(ref _seen)))
        {
            Volatile.Read(ref _changed).TrySetResult();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Wraps a store: each write through it is told to <see cref="IncidentChanges"/>, traces and metrics.</summary>
public sealed class SignallingIncidentStore(IIncidentStore store, IncidentChanges changes, TimeProvider time) : IIncidentStore
{
    public async Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        Incident? before = null;
        var result = await store.OpenAsync(candidate, runbook, latest => fold(before = latest), cancellationToken);
        changes.Publish(result.Incident);
        if (result.Opened)
        {
            IncidentTelemetry.Opened(result.Incident, time.GetElapsedTime(began));
        }
        else if (before?.Id == result.Incident.Id)
        {
            IncidentTelemetry.Changed(before, result.Incident, time.GetElapsedTime(began));
        }

        return result;
    }

    public async Task<(Incident Incident, T Result)> UpdateAsync<T>(
        string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        Incident? before = null;
        var (incident, result) = await store.UpdateAsync(id, current => change(before = current), cancellationToken);
        changes.Publish(incident);
        IncidentTelemetry.Changed(before!, incident, time.GetElapsedTime(began));
        return (incident, result);
    }

    public Task<Incident?> FindAsync(string id, CancellationToken cancellationToken) => store.FindAsync(id, cancellationToken);

    public Task<Incident?> FindCachedAsync(string id, CancellationToken cancellationToken) => store.FindCachedAsync(id, cancellationToken);

    public Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken) =>
        store.FindLatestAsync(runbookId, targetKey, cancellationToken);

    public Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken) =>
        store.FindByAlertAsync(identity, cancellationToken);

    public Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken) => store.ListAsync(query, cancellationToken);

    public Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken) => store.CountAsync(cancellationToken);

    public Task<int> CountOpenedAsync(DateTimeOffset since, int most, CancellationToken cancellationToken) =>
        store.CountOpenedAsync(since, most, cancellationToken);

    public Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) => store.FindRunbookAsync(hash, cancellationToken);

    public Task<IReadOnlyList<string>> PurgeAsync(
        DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken) =>
        store.PurgeAsync(endedBefore, removeRest, cancellationToken);

    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => store.CheckHealthAsync(cancellationToken);

    public string? Damage => store.Damage;
}

public static class StoreSignals
{
    /// <exception cref="InvalidOperationException">No store was added before.</exception>
    public static IServiceCollection AddStoreSignals(this IServiceCollection services)
    {
        var store = services.LastOrDefault(service => service.ServiceType == typeof(IIncidentStore))
            ?? throw new InvalidOperationException("Add a store before its signals.");
        services.Remove(store);
        services.TryAddSingleton<IncidentChanges>();
        return services.AddSingleton<IIncidentStore>(provider => new SignallingIncidentStore(
            Make(store, provider), provider.GetRequiredService<IncidentChanges>(), provider.GetRequiredService<TimeProvider>()));
    }

    private static IIncidentStore Make(ServiceDescriptor store, IServiceProvider provider) =>
        (IIncidentStore)(store.ImplementationInstance
            ?? store.ImplementationFactory?.Invoke(provider)
            ?? ActivatorUtilities.CreateInstance(provider, store.ImplementationType!));
}

/// <param name="host">
/// Ends the wait when the host stops: it stops nothing else until its web server has answered everybody, and new steps would begin. Null
/// where there is no host.
/// </param>
public sealed class IncidentWaiter(IIncidentStore store, IncidentChanges changes, TimeProvider time, IHostApplicationLifetime? host = null)
{
    /// <summary>For changes by another process, which are not heard.</summary>
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromSeconds(2);

    /// <param name="goal">Null for any final state. A state that was passed while waiting counts as reached.</param>
    /// <returns>The incident when the goal is reached, the time is up or the host stops; null when there is none.</returns>
    public async Task<Incident?> WaitAsync(string id, IncidentState? goal, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var watch = changes.Watch(id);
        var stopping = host?.ApplicationStopping ?? CancellationToken.None;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        var deadline = time.GetUtcNow() + atMost;
        IncidentState? first = null;
        while (true)
        {
            var incident = await store.FindAsync(id, cancellationToken);
            var left = deadline - time.GetUtcNow();
            var isOver = left <= TimeSpan.Zero || stopping.IsCancellationRequested;
            if (incident is null || isOver || Reached(incident, goal, first ??= incident.State))
            {
                return incident;
            }

            try
            {
                await watch.WaitAsync(incident.State, left < s_pollInterval ? left : s_pollInterval, time, either.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // The next round returns the incident as it is.
            }
        }
    }

    // A state may come back (a second question after a changed plan), so one that was already passed at the start is not reached.
    // After an answer the state stays until the next step begins, without an open question.
    private static bool Reached(Incident incident, IncidentState? goal, IncidentState first) =>
        incident.State.IsFinal()
        || (incident.State == goal && (goal != IncidentState.AwaitingApproval || incident.OpenGate is not null))
        || (first < goal && incident.State > goal);
}

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
