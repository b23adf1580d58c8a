namespace RunbookLocal.Sqlite;

/// <summary>The database could not be written: disk full, an I/O error, or the host is stopping. Nothing was changed.</summary>
public sealed class StorageUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
