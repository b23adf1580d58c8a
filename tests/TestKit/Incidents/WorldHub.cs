using DurableTask.Core.History;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Orchestration;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;

namespace TestKit.Incidents;

/// <summary>What the task hub under an <see cref="IncidentWorld"/> does otherwise than the shipped one.</summary>
public sealed record WorldHubOptions
{
    /// <summary>Runs the orchestrator anew from its history at every turn: code that is not deterministic fails at once.</summary>
    public bool ReplayEveryTurn { get; init; } = true;

    /// <inheritdoc cref="IIncidentEngine.IsShared"/>
    public bool IsShared { get; init; }

    /// <summary>Activities run one after the other, in the order in which they were asked for.</summary>
    public bool OneAtATime { get; init; }

    /// <summary>Asked before and after each commit; true kills the hub there.</summary>
    public Func<bool>? KillAt { get; init; }

    /// <summary>Runs an activity, given its name and what it does: twice, or not at all, as at-least-once delivery may.</summary>
    public Func<string, Func<Task<object?>>, Task<object?>>? Around { get; init; }
}

/// <summary>The real task hub, on a database of its own that is opened when it is first asked for. When it is killed it goes on from there.</summary>
public sealed class WorldHub(WorldHubOptions options, Func<IServiceProvider> services, FakeTimeProvider time) : IIncidentEngine, IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1);
    private SqliteHub? _hub;

    /// <summary>The names of activities that fail at every attempt.</summary>
    public HashSet<string> Broken { get; } = [];

    /// <summary>When the next timer is due; null when none is pending.</summary>
    public DateTimeOffset? NextTimer => _hub?.Service.NextTimer;

    public bool IsShared => options.IsShared;

    public async Task RaiseAsync(string id, string name) => await (await HubAsync()).DoAsync(hub => hub.RaiseAsync(id, name));

    public async Task CrashAsync() => await (await HubAsync()).CrashAsync();

    /// <summary>Waits until every incident is over, or waits for time or for somebody.</summary>
    /// <exception cref="TimeoutException">An activity does not end: it may wait for the clock to be advanced.</exception>
    public async Task SettleAsync() => await (await HubAsync()).DoAsync(hub => hub.SettleAsync());

    /// <summary>What has happened to an incident's orchestration, oldest first; since it last continued as new.</summary>
    public async Task<IReadOnlyList<HistoryEvent>> HistoryAsync(string id) =>
        (await HubAsync()).Database.Read(connection => DurableListing.History(connection, id)).ConvertAll(row => HistoryJson.Read(row.Kind, row.Data));

    /// <inheritdoc cref="HistoryAsync"/>
    public async Task<string> HistoryJsonAsync(string id) => await (await HubAsync()).Service.GetOrchestrationHistoryAsync(id, null);

    /// <summary>New incidents begin under this version of the orchestrator, as if by an older program.</summary>
    public async Task TellVersionAsync(string version) => (await HubAsync()).HubOptions.Version = version;

    public async Task StartAsync(IncidentInput input, CancellationToken cancellationToken) =>
        await ((IIncidentEngine)(await HubAsync()).Engine).StartAsync(input, cancellationToken);

    public async Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken) =>
        await (await HubAsync()).Engine.RaiseEventAsync(incidentId, eventName);

    public async Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) => await (await HubAsync()).Engine.FindAsync(incidentId);

    public async Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => await (await HubAsync()).Engine.CheckHealthAsync(cancellationToken);

    /// <summary>As <see cref="StartAsync"/>, and again when the hub is killed over it.</summary>
    public async Task OpenAsync(IncidentInput input) =>
        await (await HubAsync()).DoAsync(hub => ((IIncidentEngine)hub.Engine).StartAsync(input, CancellationToken.None));

    public async ValueTask DisposeAsync()
    {
        if (_hub is not null)
        {
            await _hub.DisposeAsync();
        }

        _opening.Dispose();
    }

    private Task<object?> RunAsync(string activity, Func<Task<object?>> run) =>
        Broken.Contains(activity) ? throw new IOException("The store is away.") : options.Around is { } around ? around(activity, run) : run();

    private async Task<SqliteHub> HubAsync()
    {
        if (_hub is { } open)
        {
            return open;
        }

        await _opening.WaitAsync();
        try
        {
            if (_hub is null)
            {
                var hub = await SqliteHub.OpenAsync(
                    new TaskHubTasks().AddIncidents(),
                    options: new SqliteTaskHubOptions
                    {
                        ExtendedSessions = !options.ReplayEveryTurn,
                        MaxStarts = int.MaxValue,
                        MaxConcurrentActivities = options.OneAtATime ? 1 : new SqliteTaskHubOptions().MaxConcurrentActivities,
                    },
                    services: services(),
                    time: time);
                (hub.HubOptions.Version, hub.HubOptions.AroundActivity) = (IncidentOrchestrator.Version, RunAsync);
                hub.KillAt = _ => options.KillAt?.Invoke() == true;
                _hub = hub;
            }

            return _hub;
        }
        finally
        {
            _opening.Release();
        }
    }
}
