using Microsoft.Extensions.Logging;

namespace RunbookFunctions;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Count} runbooks are in force.")]
    public static partial void RunbooksLoaded(ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Critical, "A runbook is refused: {Error}")]
    public static partial void RunbookRefused(ILogger logger, string error);

    [LoggerMessage(3, LogLevel.Error, "The runbooks could not be read; those in force stay in force.")]
    public static partial void RunbooksUnreadable(ILogger logger, Exception failure);

    [LoggerMessage(4, LogLevel.Error, "The contacts could not be read; those in force stay in force.")]
    public static partial void ContactsUnreadable(ILogger logger, Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "A runbook may not say what is meant: {Warning}")]
    public static partial void FileDoubtful(ILogger logger, string warning);
}
