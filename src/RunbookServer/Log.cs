namespace RunbookServer;

/// <summary>Every log entry of the host, in groups by area: 300 runbook files.</summary>
internal static partial class Log
{
    // Runbook files

    [LoggerMessage(300, LogLevel.Error, "{Error}")]
    public static partial void RunbookBroken(this ILogger logger, string error);

    [LoggerMessage(301, LogLevel.Warning, "Runbooks reloaded: {Count} in force. Kept in an earlier version because of errors: {Kept}.")]
    public static partial void RunbooksLoaded(this ILogger logger, int count, string kept);

    [LoggerMessage(302, LogLevel.Error, "The contacts could not be read; those in force stay: {Error}")]
    public static partial void ContactsUnreadable(this ILogger logger, string error);

    [LoggerMessage(303, LogLevel.Warning, "{Warning}")]
    public static partial void FileDoubtful(this ILogger logger, string warning);
}
