using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

/// <summary>
/// What is known of damage to the database file. It does not go away by itself: a page that could not be read once may be
/// read from a cache the next time, and what it held is wrong all the same.
/// </summary>
internal sealed class DatabaseDamage(ILogger logger)
{
    private const int Corrupt = 11, NotADatabase = 26;

    private volatile string? _found;

    /// <summary>In words, with the remedy; null while none was seen.</summary>
    public string? Found => _found;

    public static bool Is(Exception failure) => failure is SqliteException { SqliteErrorCode: Corrupt or NotADatabase };

    public void Note(string what)
    {
        if (_found is null)
        {
            _found = $"The database is damaged: {what} Stop the host, put a backup in its place, and look what was done since (docs/operations.md).";
            logger.DatabaseDamaged(what);
        }
    }
}

/// <summary>Reads the whole database from time to time: damage in a page that nobody asks for would show when it is needed.</summary>
internal sealed class IntegrityCheck(SqliteDatabase database, TimeProvider time, ILogger<IntegrityCheck> logger) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_pause, time);
        do
        {
            try
            {
                await Task.Run(database.Check, stoppingToken);
            }
            catch (SqliteException failure)
            {
                // Too little memory or too many open files: the next look will tell.
                logger.IntegrityUnknown(failure);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
