namespace Runbooks.Web;

internal static partial class Log
{
    /// <summary>
    /// While the store is away there is one of these for each request, and where it was thrown says nothing. It does where what is called an
    /// unavailable store is a fault in a program.
    /// </summary>
    public static void Unavailable(ILogger logger, StoreUnavailableException fault) => Unavailable(
        logger, fault.Message, fault.InnerException is NullReferenceException or InvalidCastException or JsonException ? fault : null);

    [LoggerMessage(1, LogLevel.Error, "A request could not be recorded; the sender is asked to try again. {Why}")]
    public static partial void Unavailable(ILogger logger, string why, Exception? fault);

    [LoggerMessage(2, LogLevel.Error, "A request broke.")]
    public static partial void Broke(ILogger logger, Exception fault);

    [LoggerMessage(6, LogLevel.Warning, "A request broke after its caller had left, perhaps because of that.")]
    public static partial void BrokeAfterCallerLeft(ILogger logger, Exception fault);

    [LoggerMessage(3, LogLevel.Warning, "A post from {Source} was refused: {Errors}")]
    public static partial void PostRefused(ILogger logger, string source, string errors);

    [LoggerMessage(4, LogLevel.Warning, "A decision link was refused: {Why}")]
    public static partial void LinkRefused(ILogger logger, string why);

    [LoggerMessage(5, LogLevel.Warning, "A post from {Source} was understood in part: {Warnings}")]
    public static partial void PostGuessed(ILogger logger, string source, string warnings);

    [LoggerMessage(20, LogLevel.Warning, "A caller of the secure webhook was refused: {Why}.")]
    public static partial void CallerRefused(ILogger logger, string why);

    [LoggerMessage(21, LogLevel.Warning, "Refused: {Who}, whose role is {Role}, wanted {What}, which needs the role {Needed}.")]
    public static partial void RoleRefused(ILogger logger, string who, string role, string what, string needed);

    [LoggerMessage(23, LogLevel.Warning, "Refused: {Who}, who may post for {Sources} alone, wanted {What}.")]
    public static partial void SourceRefused(ILogger logger, string who, string sources, string what);

    [LoggerMessage(22, LogLevel.Warning, "A refused request is in the log only; it could not be kept for the page about safety.")]
    public static partial void RefusalNotKept(ILogger logger, Exception trouble);

    [LoggerMessage(10, LogLevel.Warning, "A click from Slack was refused: {Why}.")]
    public static partial void SlackRefused(ILogger logger, string why);

    [LoggerMessage(11, LogLevel.Warning, "The Slack user {User}, whom nobody in the contacts is, wanted to decide incident {IncidentId}.")]
    public static partial void SlackUserUnknown(ILogger logger, string user, string incidentId);

    [LoggerMessage(12, LogLevel.Error, "A click in Slack on incident {IncidentId} could not be recorded, attempt {Attempt}.")]
    public static partial void SlackClickBroke(ILogger logger, string incidentId, int attempt, Exception fault);

    [LoggerMessage(13, LogLevel.Warning, "A private answer in Slack was not delivered: {Why}.")]
    public static partial void SlackReplyFailed(ILogger logger, string why);
}
