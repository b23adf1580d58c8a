using Microsoft.Extensions.Logging;

namespace Runbooks.Orchestration.TaskHub;

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
