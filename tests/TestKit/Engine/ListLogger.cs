using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace TestKit.Engine;

/// <summary>Keeps what is logged, as "Level: message".</summary>
public sealed class ListLogger : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>What is logged with its stack.</summary>
    public ConcurrentQueue<Exception> Faults { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
        if (exception is not null)
        {
            Faults.Enqueue(exception);
        }
    }

    public void Dispose()
    {
    }
}
