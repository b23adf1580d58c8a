using DurableTask.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Runbooks.AzureStorage;
using Runbooks.Settings;
using Runbooks.SignedLinks;
using Runbooks.Sqlite;
using Runbooks.Sqlite.Store;
using Runbooks.Web.Http;

namespace RunbookServer.Hosting;

internal static class StorageAccountStartup
{
    /// <summary>Makes what is missing in the account, and takes the keys that all processes use.</summary>
    /// <exception cref="CommandException">
    /// The account is not configured, cannot be reached, refuses us, or belongs to the other kind of host; or the data folder has
    /// incidents that are not over.
    /// </exception>
    public static async Task OpenAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        using var former = await FormerRecords.FindAsync(settings, cancellationToken);
        try
        {
            if (await services.GetRequiredService<IIncidentStore>().CheckHealthAsync(cancellationToken) is { } trouble)
            {
                throw new StoreUnavailableException(trouble);
            }

            await services.GetRequiredService<IOrchestrationService>().CreateIfNotExistsAsync();
            await PracticeGuard.KeepApartAsync(services, settings, cancellationToken);

            // Last, so that the folder keeps the key that senders have where the account cannot be used.
            var formerKey = former is null ? null : await former.FindApiKeyAsync(settings.DataDirectory, cancellationToken);
            await TakeKeysAsync(services, settings, formerKey, cancellationToken);
            if (former is not null)
            {
                await former.NoteMovedAsync(services.GetRequiredService<TimeProvider>().GetUtcNow(), cancellationToken);
            }
        }
        catch (StoreUnavailableException refused)
        {
            throw new CommandException($"{refused.Message} Nothing was started; the account is named in the section Storage (docs/settings.md).");
        }
        catch (OptionsValidationException invalid)
        {
            throw new CommandException($"{string.Join(" ", InvalidSettings.Describe(invalid))} See docs/settings.md, section Storage.");
        }
    }

    /// <param name="former">The key that senders have, from the time when the host was alone.</param>
    private static async Task TakeKeysAsync(
        IServiceProvider services, ServerSettings settings, string? former, CancellationToken cancellationToken)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var shared = services.GetRequiredService<SharedKeys>();
        var keys = configuration.GetSection(ApiKeyOptions.SectionName);
        var named = keys.GetSection(nameof(ApiKeyOptions.Keys)).GetChildren().FirstOrDefault()?.Value;
        var made = named is null
            ? await shared.FindOrMakeAsync("api-key", () => former ?? SecretFiles.NewApiKey(), cancellationToken)
            : null;
        var signs = configuration.GetSection($"{LinkSigningOptions.SectionName}:{nameof(LinkSigningOptions.Keys)}").GetChildren().Any()
            ? null
            : new LinkSigningKey { Id = "shared", Secret = await shared.FindOrMakeAsync("link-key", SecretFiles.NewLinkSecret, cancellationToken) };
        services.GetRequiredService<HostKeys>().Use(made, signs);
        var key = named ?? made!;
        if (SecretFiles.FindApiKey(settings.DataDirectory) is { } known
            && known != key
            && !keys.AsEnumerable().Any(setting => setting.Value == known))
        {
            SecretFiles.SetApiKeyAside(settings.DataDirectory);
            ConsoleOutput.Line("[yellow]The data folder had another key of the API, which does not open this host.[/] "
                + $"It is kept in {SecretFiles.FormerKeyFile}: senders that have it are answered 401 until they have the new one, "
                + "or it is named in ApiKeys:Named.");
        }

        SecretFiles.WriteApiKey(settings.DataDirectory, key);
    }
}

/// <summary>
/// The database of a data folder whose host now uses a storage account. Incidents do not move there. One that is open would never get
/// an answer, and its changes would never be taken back. The API key moves, since senders have it.
/// </summary>
internal sealed class FormerRecords : IDisposable
{
    private const string Key = "moved";

    private readonly SqliteDatabase _database;
    private readonly SqliteSharedState _state;

    private FormerRecords(SqliteDatabase database) => (_database, _state) = (database, new(database));

    /// <returns>Null where there is no database, or only practice is in it.</returns>
    /// <exception cref="CommandException">Incidents in it are not over, or that cannot be found out.</exception>
    public static async Task<FormerRecords?> FindAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var options = new SqliteOptions { Path = Path.Combine(settings.DataDirectory, DataFolder.DatabaseFile) };
        if (settings.Practice || !File.Exists(options.Path))
        {
            return null;
        }

        var records = DataFolder.Open(
            () => new FormerRecords(new SqliteDatabase(options, NullLogger<SqliteDatabase>.Instance)), options.Path);
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
                    $"The data folder {settings.DataDirectory} holds incidents that are not over ({open}), "
                    + "and incidents do not move to a storage account: nobody would take back what they hold. "
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

    /// <summary>The API key of the former host; null once it has moved, so that a newer key stays.</summary>
    public async Task<string?> FindApiKeyAsync(string dataDirectory, CancellationToken cancellationToken) =>
        await _state.FindAsync<Moved>(Key, cancellationToken) is null ? SecretFiles.FindApiKey(dataDirectory) : null;

    public Task NoteMovedAsync(DateTimeOffset at, CancellationToken cancellationToken) =>
        _state.ChangeAsync<Moved>(Key, known => known ?? new(at), cancellationToken);

    public void Dispose() => _database.Dispose();

    private sealed record Moved(DateTimeOffset At);
}
