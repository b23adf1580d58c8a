using Microsoft.Extensions.Logging;

namespace Runbooks.AzureStorage;

/// <summary>Every log entry about the account: 300 the task hub.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Critical, "Instance {Instance} was ended, because it cannot go on. {Why}")]
    public static partial void InstanceStopped(ILogger logger, string instance, string why);

    [LoggerMessage(301, LogLevel.Critical, "An activity of instance {Instance} was given up. {Why}")]
    public static partial void ActivityStopped(ILogger logger, string instance, string why);

    [LoggerMessage(EventId = 302, Message = "{Message}")]
    public static partial void OfDurableTask(ILogger logger, LogLevel level, string message);
}
