namespace Runbooks.Model.Storage;

/// <summary>
/// What had to be durable could not be written or read: disk full, an I/O error, throttling, no network, the host is
/// stopping. A sender is answered 503 and tries again.
/// </summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
