namespace RunbookLocal;

/// <summary>Every log entry of the host, in groups by area: 100 database, 200 engine.</summary>
internal static partial class Log
{
    // Database

    [LoggerMessage(100, LogLevel.Error, "The database cannot be written. Callers are told; the next write tries again.")]
    public static partial void StorageUnavailable(this ILogger logger, Exception exception);

    [LoggerMessage(101, LogLevel.Information, "The database can be written again.")]
    public static partial void StorageRecovered(this ILogger logger);
}
