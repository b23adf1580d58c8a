using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Orchestration;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite;
using Runbooks.Sqlite.DurableTask;
using TestKit.Engine;

namespace TestKit.Orchestration;

/// <summary>A task hub on a database of its own, in virtual time, that can be killed at any commit and opened again.</summary>
public sealed class SqliteHub : ITaskHubHarness
{
    private readonly string _folder = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly TaskHubTasks _tasks;
    private readonly ILoggerFactory _loggers;
    private readonly SqliteTaskHubOptions _options;
    private readonly IServiceProvider _services;
    private TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskHubHost _host = null!;
    private volatile bool _dying;

    private SqliteHub(TaskHubTasks tasks, ILoggerFactory? loggers, SqliteTaskHubOptions? options, IServiceProvider? services, FakeTimeProvider? time)
    {
        Time = time ?? new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 3, 0, 0, TimeSpan.Zero));
        _services = services ?? new ServiceCollection().BuildServiceProvider();
        (_tasks, _loggers, _options) = (tasks, loggers ?? NullLoggerFactory.Instance, options ?? new SqliteTaskHubOptions());
        _options.CheckClockEvery = null;
    }

    public FakeTimeProvider Time { get; }

    public TaskHubOptions HubOptions { get; } = new() { ServiceFinishesItsWork = true };

    public ActivityShutdown Shutdown { get; private set; } = null!;

    public SqliteDatabase Database { get; private set; } = null!;

    public SqliteOrchestrationService Service { get; private set; } = null!;

    public TaskHubEngine Engine { get; private set; } = null!;

    /// <summary>Asked at every commit; true kills the host there.</summary>
    internal Func<WritePoint, bool>? KillAt { get; set; }

    /// <param name="services">What the activities are made of.</param>
    public static async Task<SqliteHub> OpenAsync(
        TaskHubTasks tasks, ILoggerFactory? loggers = null, SqliteTaskHubOptions? options = null, IServiceProvider? services = null, FakeTimeProvider? time = null)
    {
        var hub = new SqliteHub(tasks, loggers, options, services, time);
        await hub.OpenAsync();
        return hub;
    }

    public Task StartAsync(string orchestrator, string id, object? input) => Engine.StartAsync(orchestrator, id, input);

    public Task RaiseAsync(string id, string name) => Engine.RaiseEventAsync(id, name);

    public Task TerminateAsync(string id, string reason) => Service.ForceTerminateTaskOrchestrationAsync(id, reason);

    public Task AdvanceAsync(TimeSpan by) => VirtualTime.AdvanceAsync(Time, by, () => Service.NextTimer, SettleAsync);

    public Task SettleAsync() => Service.WhenIdleAsync().WaitAsync(Patience.Limit);

    public async Task<OrchestrationEnd> WaitForEndAsync(string id)
    {
        await Service.WaitForOrchestrationAsync(id, null, Patience.Limit, CancellationToken.None);
        var state = (await FindAsync(id))!;
        var found = (await Engine.FindAsync(id))!;
        return new OrchestrationEnd(found.Status, found.Failure ?? state.Output);
    }

    public async Task<OrchestrationState?> FindAsync(string id) => await Service.GetOrchestrationStateAsync(id, null);

    public async Task<EngineStatus?> StatusAsync(string id) => (await Engine.FindAsync(id))?.Status;

    public async Task<string?> CustomStatusAsync(string id) => (await FindAsync(id))?.Status;

    public Task ForgetAsync(string id) => Engine.ForgetAsync(id);

    public async Task CrashAsync()
    {
        _dying = true;
        await ReopenAsync();
    }

    /// <summary>Does one step of a story; when the host is killed meanwhile, opens it again and repeats the step.</summary>
    public async Task DoAsync(Func<SqliteHub, Task> step)
    {
        while (true)
        {
            var doing = step(this);
            if (await Task.WhenAny(doing, _killed.Task) == doing && !_killed.Task.IsCompleted)
            {
                await doing;
                return;
            }

            await ReopenAsync();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    /// <summary>An orderly stop and a new start.</summary>
    public async Task RestartAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        await ReopenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_dying)
        {
            // An activity that a test leaves hanging is not waited for.
            await _host.StopAsync(new CancellationToken(canceled: true));
        }

        Close();
        Directory.Delete(_folder, recursive: true);
    }

    public async Task ReopenAsync()
    {
        // Opening writes too, and may be killed as well.
        do
        {
            Close();
            _dying = false;
            _killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await OpenAsync();
        }
        while (_dying);
    }

    private async Task OpenAsync()
    {
        var options = new SqliteOptions { Path = Path.Combine(_folder, "runbooks.db"), SurvivesPowerCut = false, Failpoint = Fail };
        Database = new SqliteDatabase(options, NullLogger<SqliteDatabase>.Instance);
        Service = new SqliteOrchestrationService(Database, _options, HubOptions, Time, _loggers.CreateLogger<SqliteOrchestrationService>());
        Shutdown = new ActivityShutdown();
        _host = new TaskHubHost(Service, _tasks, HubOptions, Shutdown, _services, Time, _loggers);
        Engine = new TaskHubEngine(Service, HubOptions, _host);
        await Task.WhenAny(_host.StartAsync(CancellationToken.None), _killed.Task);
    }

    private void Close()
    {
        Service.Dispose();
        _host.Dispose();
        Database.Dispose();
    }

    private void Fail(WritePoint point)
    {
        if (_dying || KillAt?.Invoke(point) == true)
        {
            _dying = true;
            _killed.TrySetResult();
            throw new InvalidOperationException("killed");
        }
    }
}
