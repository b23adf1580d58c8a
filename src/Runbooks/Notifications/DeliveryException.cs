namespace Runbooks.Notifications;

/// <summary>A channel did not take a message. The message of the exception goes on the record: it holds no secret.</summary>
/// <param name="transient">Whether the same message may be taken a little later.</param>
public sealed class DeliveryException(string message, bool transient = false, Exception? inner = null) : Exception(message, inner)
{
    public bool Transient => transient;
}
