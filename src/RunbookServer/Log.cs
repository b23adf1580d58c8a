namespace RunbookServer;

/// <summary>Every log entry of the host.</summary>
internal static partial class Log
{
    [LoggerMessage(302, LogLevel.Error, "The contacts could not be read; those in force stay: {Error}")]
    public static partial void ContactsUnreadable(this ILogger logger, string error);
}
