using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

/// <summary>Every log entry about the database: 100 the file, 200 what runs on it.</summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Error, "{Failure} Callers are told; the next write tries again.")]
    public static partial void StorageUnavailable(this ILogger logger, string failure, Exception? exception);

    /// <summary>A warning, so that the self-hosted server's console, which has nothing below that, shows the end of a failure too.</summary>
    [LoggerMessage(101, LogLevel.Warning, "The database can be written again.")]
    public static partial void StorageRecovered(this ILogger logger);

    [LoggerMessage(102, LogLevel.Critical, "The database is damaged. {What} The host is unhealthy until a backup stands in its place.")]
    public static partial void DatabaseDamaged(this ILogger logger, string what);

    [LoggerMessage(103, LogLevel.Warning, "Whether the database is whole could not be looked at; it is tried again later.")]
    public static partial void IntegrityUnknown(this ILogger logger, Exception exception);

    [LoggerMessage(
        104,
        LogLevel.Error,
        "The record of incident {IncidentId} cannot be read by this version. It is left out of listings, and nothing watches it.")]
    public static partial void RecordUnreadable(this ILogger logger, string incidentId, Exception failure);

    [LoggerMessage(
        200,
        LogLevel.Information,
        "Activities under way when the host stopped: {Activities}; instances with something to do: {Instances}. They go on.")]
    public static partial void WorkResumed(this ILogger logger, int activities, int instances);

    [LoggerMessage(201, LogLevel.Error, "Instance {Instance} failed: {Failure}")]
    public static partial void InstanceFailed(this ILogger logger, string instance, string failure);

    [LoggerMessage(202, LogLevel.Critical, "Instance {Instance} was ended, because it cannot go on: {Failure}")]
    public static partial void InstanceStopped(this ILogger logger, string instance, string failure);

    [LoggerMessage(
        203,
        LogLevel.Warning,
        "Open incidents of an earlier version of this program, which cannot go on: {Count}. Their owners are paged, and they end as failed.")]
    public static partial void JournalTakenOver(this ILogger logger, int count);

    [LoggerMessage(204, LogLevel.Error, "A turn of the instance with the key {Key} could not be run or committed; it is tried again.")]
    public static partial void TurnFailed(this ILogger logger, Exception exception, long key);

    [LoggerMessage(205, LogLevel.Error, "Pending timers could not be read; it is tried again.")]
    public static partial void TimersUnreadable(this ILogger logger, Exception exception);

    [LoggerMessage(206, LogLevel.Information, "Removed {Count} old finished instances.")]
    public static partial void InstancesPurged(this ILogger logger, int count);

    [LoggerMessage(207, LogLevel.Warning, "Old finished instances could not be removed; it is tried again later.")]
    public static partial void PurgeFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        208,
        LogLevel.Warning,
        "Instances that began under version {Theirs} of the workflow: {Count}. This program runs {Mine}; they wait, untouched, for a newer one.")]
    public static partial void LeftToNewerProgram(this ILogger logger, int count, string theirs, string mine);

    [LoggerMessage(
        209,
        LogLevel.Warning,
        "Instances that began under version {Theirs} of the workflow: {Count}. This program runs {Mine}: each of them ends as failed, and a "
            + "page says so, as soon as anything happens to it. Finish or cancel those incidents with the program before, or by hand.")]
    public static partial void CannotGoOn(this ILogger logger, int count, string theirs, string mine);
}
