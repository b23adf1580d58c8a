using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Runbooks.AzureStorage;

/// <summary>
/// The log of Durable Task's provider in readable form: warnings and worse, one line each, and one line a minute of the same kind. While an
/// account is away, the provider writes pages of stack traces many times a second.
/// </summary>
internal sealed class HubLog(ILoggerFactory loggers, TimeProvider time) : ILoggerFactory
{
    private const int Longest = 300;

    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<int, long> _written = new();
    private int _muted;

    /// <summary>Operations whose failures are thrown anyway.</summary>
    public async Task MuteAsync(Func<Task> work)
    {
        Interlocked.Increment(ref _muted);
        try
        {
            await work();
        }
        finally
        {
            Interlocked.Decrement(ref _muted);
        }
    }

    public ILogger CreateLogger(string categoryName) => new Shortened(this, loggers.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The host owns the loggers.
    }

    private bool IsDue(int kind)
    {
        var now = time.GetTimestamp();
        return _written.AddOrUpdate(kind, now, (_, last) => time.GetElapsedTime(last, now) >= s_pause ? now : last) == now;
    }

    private static string Shorten(string text)
    {
        var line = text.AsSpan(0, Math.Min(text.Length, Longest));
        foreach (var end in (ReadOnlySpan<string>)["\n", "\r", " ---> "])
        {
            var at = line.IndexOf(end, StringComparison.Ordinal);
            line = at >= 0 ? line[..at] : line;
        }

        return line.ToString();
    }

    private sealed class Shortened(HubLog log, ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && Volatile.Read(ref log._muted) == 0 && log.IsDue(eventId.Id))
            {
                AzureStorage.Log.OfDurableTask(logger, logLevel, Shorten(formatter(state, exception)));
            }
        }
    }
}
