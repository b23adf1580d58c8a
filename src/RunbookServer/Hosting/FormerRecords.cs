using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Sqlite;
using Runbooks.Sqlite.Store;

namespace RunbookServer.Hosting;

/// <summary>
/// The database of a data folder whose host goes on in a storage account. Incidents do not move there: one that is open would be left for
/// good, its question unanswered and what it holds never taken back. The key of the API moves, since senders have it.
/// </summary>
internal sealed class FormerRecords : IDisposable
{
    private const string Key = "moved";

    private readonly SqliteDatabase _database;
    private readonly SqliteSharedState _state;

    private FormerRecords(SqliteDatabase database) => (_database, _state) = (database, new(database));

    /// <returns>Null where there is none, or nothing real is in it.</returns>
    /// <exception cref="CommandException">Incidents in it are not over, or nobody can say.</exception>
    public static async Task<FormerRecords?> FindAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var options = new SqliteOptions { Path = Path.Combine(settings.DataDirectory, DataFolder.DatabaseFile) };
        if (settings.Practice || !File.Exists(options.Path))
        {
            return null;
        }

        var records = DataFolder.Open(() => new FormerRecords(new SqliteDatabase(options, NullLogger<SqliteDatabase>.Instance)), options.Path);
        try
        {
            if (await PracticeGuard.IsForPracticeAsync(records._state, cancellationToken))
            {
                records.Dispose();
                return null;
            }

            if (await StartupSummary.FindOpenAsync(new SqliteIncidentStore(records._database), cancellationToken) is { } open)
            {
                throw new CommandException(
                    $"The data folder {settings.DataDirectory} holds incidents that are not over ({open}), and incidents do not move to a storage account: nobody would take back what they hold. "
                    + "Start once more without --storage azure and finish them, or name another folder with --data to leave them.");
            }

            return records;
        }
        catch
        {
            records.Dispose();
            throw;
        }
    }

    /// <summary>The key of the API that its host had; null once it has moved, so that one which was made anew since stays the one.</summary>
    public async Task<string?> FindApiKeyAsync(string dataDirectory, CancellationToken cancellationToken) =>
        await _state.FindAsync<Moved>(Key, cancellationToken) is null ? SecretFiles.FindApiKey(dataDirectory) : null;

    public Task NoteMovedAsync(DateTimeOffset at, CancellationToken cancellationToken) => _state.ChangeAsync<Moved>(Key, known => known ?? new(at), cancellationToken);

    public void Dispose() => _database.Dispose();

    private sealed record Moved(DateTimeOffset At);
}
