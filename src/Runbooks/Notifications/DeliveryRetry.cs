namespace Runbooks.Notifications;

/// <summary>
/// When a message about an incident is tried again for whoever does not have it: ever more rarely. One rule for pages and for
/// what a storm tells.
/// </summary>
public static class DeliveryRetry
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <param name="needsPerson">Each contact that it is for has to have it, or the last in line; else it is enough that somebody has.</param>
    public static bool IsHeard(Incident incident, string key, bool needsPerson = true) => IsHeard([.. incident.DeliveriesUnder(key)], needsPerson);

    /// <inheritdoc cref="IsHeard(Incident, string, bool)"/>
    public static bool IsDue(Incident incident, string key, DateTimeOffset now, bool needsPerson = true) =>
        incident.DeliveriesUnder(key).ToList() is var tries && !IsHeard(tries, needsPerson) && !Reach.IsTooSoon(tries, FirstPause, LongestPause, now);

    private static bool IsHeard(List<Delivery> tries, bool needsPerson) => needsPerson ? Reach.IsEnough(tries) : tries.Exists(delivery => delivery.Reached);
}
