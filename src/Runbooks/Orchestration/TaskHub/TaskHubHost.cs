using DurableTask.Core;
using DurableTask.Core.Settings;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Worker;
using Microsoft.DurableTask.Worker.Shims;
using Microsoft.Extensions.Hosting;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>
/// Runs the orchestrators and activities of <see cref="TaskHubTasks"/> on whatever keeps their history: any
/// <see cref="IOrchestrationService"/>.
/// </summary>
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

    /// <summary>Null while work is taken; otherwise why it is not, in words.</summary>
    internal string? Closed => _closed;

    /// <summary>Brings the service's tables or queues and goes on with what was under way.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _worker.orchestrationService.CreateIfNotExistsAsync();
        await _worker.StartAsync();
        _closed = null;
    }

    /// <summary>
    /// Takes no more work, tells running activities to stop, and waits for what is being committed. Activities that go on
    /// regardless are left behind when the token says so; they run again after the next start.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _closed = "The engine is stopping.";
        _shutdown.Stop();
        if (!_options.ServiceFinishesItsWork)
        {
            await _worker.StopAsync(isForced: false).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        // What activities answer now is still taken by turns: the worker tells the service to stop only after that.
        await _shutdown.Running.WhenZeroAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Forced, it ends the fetches and waits for nothing but the service. That is quick, so it happens even when the patience
        // of the host has ended.
        await _worker.StopAsync(isForced: true).WaitAsync(s_lastCommits, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _closed ??= "The engine is closed.";
        _worker.Dispose();
    }
}

/// <summary>
/// What Durable Task's own machinery may log: warnings and errors. Below that it writes several lines a turn, and what
/// activities threw as it is, secrets and all; <see cref="HostedActivity"/> logs that without them.
/// </summary>
internal sealed class WarningLoggers(ILoggerFactory loggers) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new WarningLogger(loggers.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The loggers belong to the host.
    }

    private sealed class WarningLogger(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
