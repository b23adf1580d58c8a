using Microsoft.Extensions.Logging;

namespace Runbooks;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "A runbook names the contact '{Contact}', which nobody is behind. Add it to the contacts.")]
    public static partial void UnknownContact(ILogger logger, string contact);

    [LoggerMessage(2, LogLevel.Warning, "Channel {Channel} did not take a message of incident {IncidentId}.")]
    public static partial void ChannelFailed(ILogger logger, string channel, string incidentId, Exception failure);

    [LoggerMessage(3, LogLevel.Warning, "Check {Check} of incident {IncidentId} could not be answered.")]
    public static partial void CheckFailed(ILogger logger, string check, string incidentId, Exception failure);

    [LoggerMessage(4, LogLevel.Warning, "Attempt {Attempt} of step {Step} of incident {IncidentId} failed.")]
    public static partial void StepFailed(ILogger logger, int attempt, string step, string incidentId, Exception failure);

    [LoggerMessage(5, LogLevel.Error, "Step {Step} of incident {IncidentId} could not be undone.")]
    public static partial void UndoFailed(ILogger logger, string step, string incidentId, Exception failure);

    [LoggerMessage(6, LogLevel.Information, "Incident {IncidentId} ended: {State}. {Reason}")]
    public static partial void Ended(ILogger logger, string incidentId, Incidents.IncidentState state, string reason);

    [LoggerMessage(7, LogLevel.Error, "Incident {IncidentId} needs a person and nobody could be reached: {Message}")]
    public static partial void NobodyReached(ILogger logger, string incidentId, string message);
}
