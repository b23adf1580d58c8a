using Microsoft.Extensions.Logging;

namespace Runbooks.Web;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "A request could not be recorded; the sender is asked to try again.")]
    public static partial void Unavailable(ILogger logger, Exception fault);

    [LoggerMessage(2, LogLevel.Error, "A request broke.")]
    public static partial void Broke(ILogger logger, Exception fault);

    [LoggerMessage(3, LogLevel.Warning, "A post from {Source} was refused: {Errors}")]
    public static partial void PostRefused(ILogger logger, string source, string errors);

    [LoggerMessage(4, LogLevel.Warning, "A decision link was refused: {Why}")]
    public static partial void LinkRefused(ILogger logger, string why);

    [LoggerMessage(20, LogLevel.Warning, "A caller of the secure webhook was refused: {Why}.")]
    public static partial void CallerRefused(ILogger logger, string why);
}
