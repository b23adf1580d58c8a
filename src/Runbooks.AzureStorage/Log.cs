using Microsoft.Extensions.Logging;

namespace Runbooks.AzureStorage;

/// <summary>Every log entry about the account: 300 the task hub, 310 the records.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Critical, "Instance {Instance} was ended, because it cannot go on. {Why}")]
    public static partial void InstanceStopped(ILogger logger, string instance, string why);

    [LoggerMessage(301, LogLevel.Critical, "An activity of instance {Instance} was given up. {Why}")]
    public static partial void ActivityStopped(ILogger logger, string instance, string why);

    [LoggerMessage(EventId = 302, Message = "{Message}")]
    public static partial void OfDurableTask(ILogger logger, LogLevel level, string message);

    [LoggerMessage(
        310,
        LogLevel.Error,
        "The record of incident {IncidentId} cannot be read by this version. It is left out of listings, and nothing watches it.")]
    public static partial void RecordUnreadable(ILogger logger, string incidentId, Exception failure);

    [LoggerMessage(311, LogLevel.Error, "The record of incident {IncidentId} could not be removed. The next round tries again.")]
    public static partial void RecordNotRemoved(ILogger logger, string incidentId, Exception failure);
}
