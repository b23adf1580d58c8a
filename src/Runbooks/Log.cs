using Microsoft.Extensions.Logging;

namespace Runbooks;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "A runbook names the contact '{Contact}', which nobody is behind. Add it to the contacts.")]
    public static partial void UnknownContact(ILogger logger, string contact);

    [LoggerMessage(2, LogLevel.Warning, "Channel {Channel} did not take a message of incident {IncidentId}.")]
    public static partial void ChannelFailed(ILogger logger, string channel, string incidentId, Exception failure);
}
