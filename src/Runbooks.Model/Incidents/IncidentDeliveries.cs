namespace Runbooks.Model.Incidents;

/// <summary>What the record says about messages.</summary>
public static class IncidentDeliveries
{
    /// <param name="about">How many incidents the message was about.</param>
    public static Incident RecordDeliveries(this Incident incident, IReadOnlyList<Delivery> deliveries, int about = 1)
    {
        var shared = about > 1 ? $", in one message about {about} incidents" : "";
        return deliveries.Aggregate(
            incident with { Deliveries = [.. incident.Deliveries, .. deliveries] },
            (changed, delivery) => changed.Note(delivery.At, TimelineKind.Message, "runbook", delivery switch
            {
                { Reached: true, Failure: null } => $"Told {delivery.Contact} by {delivery.Channel}{shared}.",
                { Reached: true } => $"Told {delivery.Contact} by {delivery.Channel}{shared}, after: {delivery.Failure}",
                _ => $"Could not reach {delivery.Contact}: {delivery.Failure}",
            }));
    }

    /// <summary>Whether the present asking of this question has gone out, to somebody or in vain.</summary>
    public static bool WasSent(this Incident incident, Gate gate) => incident.HasDelivery($"{gate.MessageKey}:");

    public static bool HasDelivery(this Incident incident, string keyPrefix) =>
        incident.Deliveries.Any(delivery => delivery.Key.StartsWith(keyPrefix, StringComparison.Ordinal));
}
