namespace RunbookLocal;

/// <summary>Every log entry of the host, in groups by area: 200 engine, 300 runbook files.</summary>
internal static partial class Log
{
    // Engine

    [LoggerMessage(200, LogLevel.Information, "{Count} instances were at work when the host stopped; they go on.")]
    public static partial void InstancesResumed(this ILogger logger, int count);

    [LoggerMessage(201, LogLevel.Error, "Instance {Instance} failed: {Failure}")]
    public static partial void InstanceFailed(this ILogger logger, string instance, string failure);

    [LoggerMessage(202, LogLevel.Critical, "Instance {Instance} was stopped, its code and its journal do not fit: {Failure}")]
    public static partial void InstanceFaulted(this ILogger logger, string instance, string failure);

    [LoggerMessage(203, LogLevel.Warning, "{Activity} of instance {Instance} threw.")]
    public static partial void ActivityThrew(this ILogger logger, Exception exception, string activity, string instance);

    [LoggerMessage(204, LogLevel.Error, "The journal of instance {Instance} could not be written; it is tried again.")]
    public static partial void AppendFailed(this ILogger logger, Exception exception, string instance);

    [LoggerMessage(205, LogLevel.Error, "Pending timers could not be read; it is tried again.")]
    public static partial void TimersUnreadable(this ILogger logger, Exception exception);

    [LoggerMessage(206, LogLevel.Information, "Removed {Count} old finished instances.")]
    public static partial void InstancesPurged(this ILogger logger, int count);

    [LoggerMessage(207, LogLevel.Warning, "Old finished instances could not be removed; it is tried again later.")]
    public static partial void PurgeFailed(this ILogger logger, Exception exception);

    // Runbook files

    [LoggerMessage(300, LogLevel.Error, "{Error}")]
    public static partial void RunbookBroken(this ILogger logger, string error);

    [LoggerMessage(301, LogLevel.Warning, "Runbooks reloaded: {Count} in force. Kept in an earlier version because of errors: {Kept}.")]
    public static partial void RunbooksLoaded(this ILogger logger, int count, string kept);

    [LoggerMessage(302, LogLevel.Error, "The contacts could not be read; those in force stay: {Error}")]
    public static partial void ContactsUnreadable(this ILogger logger, string error);
}
