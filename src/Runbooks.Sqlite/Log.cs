using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

/// <summary>Every log entry about the database: 100 the file, 200 what runs on it.</summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Error, "The database cannot be written. Callers are told; the next write tries again.")]
    public static partial void StorageUnavailable(this ILogger logger, Exception exception);

    [LoggerMessage(101, LogLevel.Information, "The database can be written again.")]
    public static partial void StorageRecovered(this ILogger logger);
}
