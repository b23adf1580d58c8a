namespace Runbooks.Notifications.Storms;

/// <param name="About">Everything that waits for this recipient, oldest first.</param>
/// <param name="Fresh">Those of them that have to be sent now.</param>
/// <param name="Before">What the recipient has got and still has to answer; null when there is nothing.</param>
public sealed record StormMessage(
    Recipient Recipient, IReadOnlyList<Incident> About, IReadOnlyList<Incident> Fresh, StormMessages? Before, DateTimeOffset DueAt)
{
    private readonly HashSet<string> _about = [.. About.Select(incident => incident.Id)];

    /// <summary>The contact that is asked in place of those who were not reached; null in a message to those whom the questions ask.</summary>
    public string? InPlace { get; init; }

    public string Name => NotificationDispatcher.NameOf(Recipient);

    public const string KeyPrefix = "storm";

    /// <summary>The same on a repeated attempt. Each message has its own, so that two people with one pager are each called up.</summary>
    public string Key => $"{KeyPrefix}:{Fresh[0].Id}:{Fresh[0].OpenGate!.MessageKey}{(InPlace is null ? "" : $":{InPlace}")}";

    public int Newcomers => Fresh.Count(incident => !WasTold(incident));

    /// <summary>A schedule names this recipient now, and named others when it was asked first.</summary>
    public bool IsNextShift => About.Any(incident => incident.OpenGate!.OnCall
        .GroupBy(record => record.Contact, StringComparer.OrdinalIgnoreCase)
        .Any(contact => Names(contact.Last()) && !Names(contact.First())));

    /// <summary>Others were told of it, and this recipient never: it escalated to them, or their shift has begun.</summary>
    public bool HasNewOnes => Fresh.Any(incident => !WasTold(incident, Recipient));

    /// <summary>Whether anybody was told of the question.</summary>
    public static bool WasTold(Incident incident) => incident.HasDelivery(incident.OpenGate!.Id);

    /// <summary>Whether this recipient has got a message about the question.</summary>
    public static bool WasTold(Incident incident, Recipient recipient) => incident.Deliveries.Any(delivery =>
        delivery.Channel is not null
        && delivery.IsOf(incident.OpenGate!)
        && ContactBook.IsSameName(delivery.Contact, recipient.Name));

    public bool IsAbout(Incident incident) => _about.Contains(incident.Id);

    private bool Names(OnCallRecord record) => record.People.Contains(Recipient.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>For the record of one of its incidents. A message about several cannot be changed to show the end of one of them.</summary>
    public Delivery Of(Gate gate, Delivery delivery) => delivery with
    {
        Key = $"{gate.MessageKey}:{(InPlace is null ? "" : "fallback:")}{Name}",
        Reference = About.Count == 1 ? delivery.Reference : null,
    };
}
