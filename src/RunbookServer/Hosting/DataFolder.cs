using Runbooks.Sqlite;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>The data folder: made where it is missing, and held by one host at a time through its database, if that is in it.</summary>
internal static class DataFolder
{
    /// <exception cref="CommandException">It cannot be written to.</exception>
    public static void Prepare(LocalSettings settings)
    {
        try
        {
            Directory.CreateDirectory(settings.DataDirectory);
            Directory.CreateDirectory(settings.OutboxDirectory);
            if (settings.Storage == StorageKind.Sqlite)
            {
                Directory.CreateDirectory(settings.EvidenceDirectory);
                HostKeys.Of(settings);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The data folder {settings.DataDirectory} cannot be used: {failure.Message} Name another with --data.");
        }
    }

    /// <exception cref="CommandException">Another host holds it, or it is not one of ours.</exception>
    public static void Open(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<SqliteDatabase>();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Microsoft.Data.Sqlite.SqliteException or InvalidOperationException)
        {
            throw new CommandException(failure.Message);
        }
    }
}
