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
    public static partial void Ended(ILogger logger, string incidentId, IncidentState state, string reason);

    [LoggerMessage(7, LogLevel.Error, "Incident {IncidentId} needs a person and nobody could be reached: {Message}")]
    public static partial void NobodyReached(ILogger logger, string incidentId, string message);

    [LoggerMessage(8, LogLevel.Error, "What was delivered for incident {IncidentId} could not be recorded.")]
    public static partial void DeliveryNotRecorded(ILogger logger, string incidentId, Exception trouble);

    [LoggerMessage(9, LogLevel.Warning, "Cards of incident {IncidentId} could not be brought up to date.")]
    public static partial void CardsNotUpdated(ILogger logger, string incidentId, Exception trouble);

    [LoggerMessage(10, LogLevel.Error, "Contacts are not taken over: {Error}")]
    public static partial void ContactsBroken(ILogger logger, string error);

    [LoggerMessage(11, LogLevel.Information, "The contacts of {File} are in force.")]
    public static partial void ContactsLoaded(ILogger logger, string file);

    [LoggerMessage(12, LogLevel.Warning, "Activity {Activity} threw.")]
    public static partial void ActivityFailed(ILogger logger, string activity, Exception failure);

    [LoggerMessage(40, LogLevel.Information, "Incident {IncidentId} opened: {Runbook} on {Target}.")]
    public static partial void IncidentOpened(ILogger logger, string incidentId, string runbook, string target);

    [LoggerMessage(41, LogLevel.Warning, "Alert '{Alert}' from {Source} opened nothing. {Reason}")]
    public static partial void AlertIgnored(ILogger logger, string alert, string source, string reason);

    [LoggerMessage(42, LogLevel.Information, "Alert '{Alert}' is resolved; {Runbook} has no open incident on {Target}.")]
    public static partial void ResolvedWithoutIncident(ILogger logger, string alert, string runbook, string target);

    [LoggerMessage(43, LogLevel.Warning, "Incident {IncidentId} could not be woken; it looks again on its next timer.")]
    public static partial void WakeFailed(ILogger logger, string incidentId, Exception failure);

    [LoggerMessage(44, LogLevel.Information, "Incident {IncidentId}: {Verb} by {Person}, via {Via}.")]
    public static partial void Decided(ILogger logger, string incidentId, DecisionVerb verb, string person, string via);

    [LoggerMessage(45, LogLevel.Information, "Incident {IncidentId}: a decision of {Person} via {Via} did not count. {Why}")]
    public static partial void DecisionRefused(ILogger logger, string incidentId, string person, string via, string why);

    [LoggerMessage(46, LogLevel.Error, "Alerts from {Sender} were not taken in: {HowMany}. {Why}")]
    public static partial void AlertsLost(ILogger logger, string sender, string howMany, string why);

    [LoggerMessage(47, LogLevel.Warning, "Alerts that match no runbook could not be kept for the page about them.")]
    public static partial void UnmatchedNotKept(ILogger logger, Exception trouble);

    [LoggerMessage(50, LogLevel.Warning, "The kill switch was {Turned} by {By}: {Reason}")]
    public static partial void KillSwitchTurned(ILogger logger, string turned, string by, string reason);

    [LoggerMessage(51, LogLevel.Error, "The breaker of runbook {Runbook} opened. {Why}")]
    public static partial void BreakerOpened(ILogger logger, string runbook, string why);

    [LoggerMessage(52, LogLevel.Warning, "The breaker of runbook {Runbook} was reset by {By}: {Reason}")]
    public static partial void BreakerReset(ILogger logger, string runbook, string by, string reason);

    [LoggerMessage(54, LogLevel.Warning, "{Warning}")]
    public static partial void FileWarning(ILogger logger, string warning);

    [LoggerMessage(
        55,
        LogLevel.Error,
        "The contacts have errors; those that were in force last are used, and none where there were none. {Error}")]
    public static partial void ContactsKept(ILogger logger, string error);

    [LoggerMessage(
        56,
        LogLevel.Error,
        "{File}, with what belongs to it, is longer than {Most} characters. It is in force but not kept: "
            + "a host that starts while it is broken does not have this version. Make it shorter.")]
    public static partial void FileNotKept(ILogger logger, string file, int most);

    [LoggerMessage(53, LogLevel.Error, "The file of maintenance windows is not taken over: {Error}")]
    public static partial void WindowsBroken(ILogger logger, string error);

    [LoggerMessage(67, LogLevel.Information, "Maintenance windows of the file that are in force: {Count}.")]
    public static partial void WindowsLoaded(ILogger logger, int count);

    [LoggerMessage(60, LogLevel.Warning, "The watchdog found a problem with incident {IncidentId}: {Message} Remedy: {Remedy}.")]
    public static partial void WatchdogFound(ILogger logger, string incidentId, string remedy, string message);

    /// <param name="incidentId">Or the name of a part of the watchdog's work. Queries know the property under this name.</param>
    [LoggerMessage(61, LogLevel.Error, "The watchdog could not check {IncidentId}.")]
    public static partial void WatchFailed(ILogger logger, string incidentId, Exception failure);

    [LoggerMessage(62, LogLevel.Critical, "Engine or store do not work: {Trouble}")]
    public static partial void Unhealthy(ILogger logger, string trouble);

    [LoggerMessage(
        71,
        LogLevel.Error,
        "The setting {Name} is still a reference to a vault and counts as empty: App Service has not read the secret. "
            + "Is it there, and may the app's identity read it? Then have it asked again with infra/scripts/refresh-secrets.sh.")]
    public static partial void SecretMissing(ILogger logger, string name);

    [LoggerMessage(63, LogLevel.Information, "Removed {Count} incidents that were closed long ago.")]
    public static partial void Purged(ILogger logger, int count);

    [LoggerMessage(65, LogLevel.Error, "What is kept of {What} could not be removed. The next round tries again.")]
    public static partial void NotPurged(ILogger logger, string what, Exception failure);

    [LoggerMessage(
        64,
        LogLevel.Critical,
        "The store was restored from a backup: what was done since the backup is not in it. "
            + "Open incidents that ask again before they act: {Count}.")]
    public static partial void StoreRestored(ILogger logger, int count);

    [LoggerMessage(66, LogLevel.Error, "The weekly digest could not be sent. The next minute tries again.")]
    public static partial void DigestFailed(ILogger logger, Exception failure);

    [LoggerMessage(68, LogLevel.Warning, "{Source} could not be asked who is on call: {Why}")]
    public static partial void ScheduleFailed(ILogger logger, string source, string why);

    [LoggerMessage(69, LogLevel.Warning, "What {Source} says could not be kept or read again.")]
    public static partial void ScheduleNotKept(ILogger logger, string source, Exception trouble);

    [LoggerMessage(70, LogLevel.Error, "Nobody is behind the contact '{Contact}': {Words}")]
    public static partial void NobodyOnCall(ILogger logger, string contact, string words);

    [LoggerMessage(80, LogLevel.Error, "{Error}")]
    public static partial void RunbookRefused(ILogger logger, string error);

    [LoggerMessage(81, LogLevel.Information, "Runbooks reloaded: {Changes}. {Count} in force.")]
    public static partial void RunbooksReloaded(ILogger logger, string changes, int count);

    [LoggerMessage(82, LogLevel.Warning, "Because of the errors these runbooks stay in force as they were: {Kept}.")]
    public static partial void RunbooksKept(ILogger logger, string kept);

    [LoggerMessage(83, LogLevel.Information, "Taken over: {Publication}, published by {By}. {Changes}. {Count} runbooks in force.")]
    public static partial void PublicationTaken(ILogger logger, string publication, string by, string changes, int count);

    [LoggerMessage(84, LogLevel.Error, "Refused as a whole: {Publication}, published by {By}. In force is {InForce}.")]
    public static partial void PublicationRefused(ILogger logger, string publication, string by, string inForce);

    [LoggerMessage(85, LogLevel.Error, "The runbooks at {Place} could not be read; those in force stay in force. {Why}")]
    public static partial void RulesUnreadable(ILogger logger, string place, string why);

    [LoggerMessage(86, LogLevel.Information, "{Count} runbooks are in force, from {Source}.")]
    public static partial void RulesInForce(ILogger logger, int count, string source);

    [LoggerMessage(88, LogLevel.Warning, "No runbook is loaded from {Source}: every alert is ignored.")]
    public static partial void NoRunbooks(ILogger logger, string source);

    [LoggerMessage(87, LogLevel.Error, "An alert could not be kept to be ended: {Alert}. It may ring on.")]
    public static partial void AlertNotKept(ILogger logger, string alert, Exception trouble);
}
