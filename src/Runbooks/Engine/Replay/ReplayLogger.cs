using Microsoft.Extensions.Logging;

namespace Runbooks.Engine.Replay;

/// <summary>Silent while the workflow repeats what it already said.</summary>
internal sealed class ReplayLogger(ILogger inner, Func<bool> replaying) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => !replaying() && inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
