namespace RunbookServer;

internal static partial class Log
{
    [LoggerMessage(302, LogLevel.Error, "The contacts could not be read; those in force stay: {Error}")]
    public static partial void ContactsUnreadable(this ILogger logger, string error);

    [LoggerMessage(
        303,
        LogLevel.Warning,
        "Changes in the folder {Folder} are no longer told by the file system, and are seen within half a minute instead: {Error}")]
    public static partial void FolderUnwatched(this ILogger logger, string folder, string error);
}
