using DurableTask.Core;
using DurableTask.Core.Settings;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Worker;
using Microsoft.DurableTask.Worker.Shims;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Runbooks.Orchestration.TaskHub;

public static class TaskHubServices
{
    /// <summary>
    /// Needs an <see cref="DurableTask.Core.IOrchestrationService"/> and its
    /// <see cref="DurableTask.Core.IOrchestrationServiceClient"/>. The code that registers those may configure
    /// <see cref="TaskHubOptions"/> too.
    /// </summary>
    public static IServiceCollection AddTaskHub(
        this IServiceCollection services, Action<TaskHubTasks> add, Action<TaskHubOptions>? configure = null)
    {
        var tasks = new TaskHubTasks();
        add(tasks);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ActivityShutdown>();
        services.AddOptions<TaskHubOptions>().Configure(options => configure?.Invoke(options));
        return services
            .AddSingleton(tasks)
            .AddSingleton(provider => provider.GetRequiredService<IOptions<TaskHubOptions>>().Value)
            .AddSingleton<TaskHubHost>()
            .AddSingleton<TaskHubEngine>()
            .AddSingleton<IIncidentEngine>(provider => provider.GetRequiredService<TaskHubEngine>())
            .AddHostedService(provider => provider.GetRequiredService<TaskHubHost>());
    }
}

public sealed class TaskHubTasks
{
    private readonly Dictionary<string, Func<IServiceProvider, ITaskOrchestrator>> _orchestrators = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<IServiceProvider, ITaskActivity>> _activities = new(StringComparer.Ordinal);

    /// <param name="create">Called for each run and each replay: an orchestrator keeps its state in locals and fields of its own.</param>
    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public TaskHubTasks AddOrchestrator(string name, Func<IServiceProvider, ITaskOrchestrator> create)
    {
        if (!_orchestrators.TryAdd(name, create))
        {
            throw new InvalidOperationException($"Two orchestrators are called '{name}'.");
        }

        return this;
    }

    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public TaskHubTasks AddActivity(string name, Func<IServiceProvider, ITaskActivity> create)
    {
        if (!_activities.TryAdd(name, create))
        {
            throw new InvalidOperationException($"Two activities are called '{name}'.");
        }

        return this;
    }

    internal bool TryFindOrchestrator(string name, [NotNullWhen(true)] out Func<IServiceProvider, ITaskOrchestrator>? create) =>
        _orchestrators.TryGetValue(name, out create);

    internal bool TryFindActivity(string name, [NotNullWhen(true)] out Func<IServiceProvider, ITaskActivity>? create) =>
        _activities.TryGetValue(name, out create);
}

public sealed class TaskHubOptions
{
    /// <summary>
    /// New instances carry this version. An instance of a newer version is left to a newer program; the orchestrator decides about
    /// an older one. Null: versions are not compared.
    /// </summary>
    public string? Version { get; set; }

    public bool IsNewer(string? version) =>
        Version is not null && version is not null && VersioningSettings.CompareVersions(version, Version) > 0;

    /// <summary>
    /// The service finishes running work itself when it is told to stop, as the SQLite one does. For any other the worker polls once a
    /// second.
    /// </summary>
    public bool ServiceFinishesItsWork { get; set; }

    /// <inheritdoc cref="IIncidentEngine.IsShared"/>
    public bool IsShared { get; set; } = true;

    /// <summary>Returns null when the service can be written. Where this is not set, an instance is looked up.</summary>
    public Func<CancellationToken, Task<string?>>? CheckHealth { get; set; }

    /// <summary>For tests: may run an activity twice, or not at all, as at-least-once delivery does.</summary>
    internal Func<string, Func<Task<object?>>, Task<object?>>? AroundActivity { get; set; }
}

public static class IncidentTaskHub
{
    /// <summary>
    /// Needs a <see cref="DurableTask.Core.IOrchestrationService"/> and its client. Azure Functions has a hub of its own.
    /// </summary>
    public static IServiceCollection AddIncidentTaskHub(this IServiceCollection services) =>
        services.AddTaskHub(tasks => tasks.AddIncidents(), hub => hub.Version = IncidentOrchestrator.Version);

    public static TaskHubTasks AddIncidents(this TaskHubTasks tasks) => tasks
        .AddOrchestrator(IncidentOrchestrator.Name, _ => new IncidentOrchestrator())
        .AddActivity(Diagnose.Name, provider => provider.GetRequiredService<Diagnose>())
        .AddActivity(OpenGate.Name, provider => provider.GetRequiredService<OpenGate>())
        .AddActivity(ReviewGate.Name, provider => provider.GetRequiredService<ReviewGate>())
        .AddActivity(RunSteps.Name, provider => provider.GetRequiredService<RunSteps>())
        .AddActivity(Recheck.Name, provider => provider.GetRequiredService<Recheck>())
        .AddActivity(UndoSteps.Name, provider => provider.GetRequiredService<UndoSteps>())
        .AddActivity(CheckSuppression.Name, provider => provider.GetRequiredService<CheckSuppression>())
        .AddActivity(PagePerson.Name, provider => provider.GetRequiredService<PagePerson>())
        .AddActivity(EndIncident.Name, provider => provider.GetRequiredService<EndIncident>());
}

public sealed class TaskHubHost : IHostedService, IDisposable
{
    private static readonly TimeSpan s_lastCommits = TimeSpan.FromSeconds(2);

    private readonly TaskHubOptions _options;
    private readonly ActivityShutdown _shutdown;
    private readonly TaskHubWorker _worker;
    private volatile string? _closed = "The engine has not started yet.";

    public TaskHubHost(
        IOrchestrationService service,
        TaskHubTasks tasks,
        TaskHubOptions options,
        ActivityShutdown shutdown,
        IServiceProvider services,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        (_options, _shutdown) = (options, shutdown);
        var shims = new DurableTaskWorkerOptions { DataConverter = new JsonDataConverter(DurableJson.Options) };
        _worker = new TaskHubWorker(
            service,
            new HostedOrchestrators(tasks, services, new DurableTaskShimFactory(shims, loggers)),
            new HostedActivities(tasks, services, options, shutdown, HostedActivities.Shims(shims)),
            options.Version is { } version
                ? new VersioningSettings
                {
                    Version = version,
                    MatchStrategy = VersioningSettings.VersionMatchStrategy.CurrentOrOlder,
                    FailureStrategy = VersioningSettings.VersionFailureStrategy.Reject,
                }
                : null,
            new WarningLoggers(loggers))
        {
            ErrorPropagationMode = ErrorPropagationMode.UseFailureDetails,
        };
        _worker.AddOrchestrationDispatcherMiddleware(HostedOrchestrator.GiveUpSessionAsync);
        _worker.AddOrchestrationDispatcherMiddleware(new OrchestratorClock(time).SetAsync);
        _worker.AddActivityDispatcherMiddleware(HostedActivity.ShortenFailureAsync);
    }

    internal string? Closed => _closed;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _worker.orchestrationService.CreateIfNotExistsAsync();
        await _worker.StartAsync();
        _closed = null;
    }

    /// <summary>
    /// Takes no more work, tells running activities to stop, and waits for commits. Activities that do not stop are left behind when the
    /// token is cancelled; they run again after the next start.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _closed = "The engine is stopping.";
        _shutdown.Stop();
        if (!_options.ServiceFinishesItsWork)
        {
            await _worker.StopAsync(isForced: false)
                .WaitAsync(cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        // Turns still take the answers of activities: the worker tells the service to stop only after that.
        await _shutdown.Running.WhenZeroAsync()
            .WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Forced, it waits only for the service. That is quick, so it happens even when the host's time is up.
        await _worker.StopAsync(isForced: true)
            .WaitAsync(s_lastCommits, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _closed ??= "The engine is closed.";
        _worker.Dispose();
    }
}

/// <summary>
/// Durable Task's own code may log warnings and errors only. Below that it writes several lines a turn, and unredacted exceptions;
/// <see cref="HostedActivity"/> logs those redacted.
/// </summary>
internal sealed class WarningLoggers(ILoggerFactory loggers) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new WarningLogger(loggers.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class WarningLogger(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
