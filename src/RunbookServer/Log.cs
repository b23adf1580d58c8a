namespace RunbookServer;

/// <summary>Every log entry of the host, in groups by area: 300 runbook files.</summary>
internal static partial class Log
{
    // Runbook files

    [LoggerMessage(300, LogLevel.Error, "{Error}")]
    public static partial void RunbookBroken(this ILogger logger, string error);

    [LoggerMessage(301, LogLevel.Information, "Runbooks reloaded: {Changes}. {Count} in force.")]
    public static partial void RunbooksLoaded(this ILogger logger, string changes, int count);

    [LoggerMessage(304, LogLevel.Warning, "Because of the errors these runbooks stay in force as they were: {Kept}.")]
    public static partial void RunbooksKept(this ILogger logger, string kept);

    [LoggerMessage(302, LogLevel.Error, "The contacts could not be read; those in force stay: {Error}")]
    public static partial void ContactsUnreadable(this ILogger logger, string error);

    [LoggerMessage(303, LogLevel.Warning, "{Warning}")]
    public static partial void FileDoubtful(this ILogger logger, string warning);
}
