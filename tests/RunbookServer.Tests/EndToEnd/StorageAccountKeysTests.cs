using Microsoft.Extensions.DependencyInjection;
using RunbookServer.Hosting;
using RunbookServer.Terminal;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The key that senders have, where their host goes on in a storage account.</summary>
public sealed class StorageAccountKeysTests(Azurite azurite) : IClassFixture<Azurite>, IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public async Task HostThatWasAlone_TakesItsKeyWithItAndSetsAsideWhatDoesNotOpen()
    {
        var (first, second) = (Folder("first"), Folder("second"));
        var (known, other) = (SecretFiles.ApiKey(first), SecretFiles.ApiKey(second));

        await OpenAsync(first, azurite);
        await OpenAsync(second, azurite);

        Read(first, "api-key").ShouldBe(known);
        Read(second, "api-key").ShouldBe(known, "the account had a key before it came");
        Read(second, "api-key.old").ShouldBe(other);
        File.Exists(Path.Combine(first, "api-key.old")).ShouldBeFalse();
    }

    /// <summary>Started by mistake on an account of the other kind: the next start, on the right one, has to find the key.</summary>
    [Fact]
    public async Task AccountThatWasPractisedOn_RefusesTheMoveAndTheFolderKeepsItsKey()
    {
        await using var practised = new Azurite();
        await practised.InitializeAsync();
        var (practice, real) = (Folder("practice"), Folder("real"));
        var known = SecretFiles.ApiKey(real);
        await OpenAsync(practice, practised, practice: true);

        (await Should.ThrowAsync<CommandException>(() => OpenAsync(real, practised))).Message.ShouldContain("Name another account");

        Read(real, "api-key").ShouldBe(known);
        using var former = await FormerRecords.FindAsync(new() { DataDirectory = real, Practice = false }, TestContext.Current.CancellationToken);
        (await former!.FindApiKeyAsync(real, TestContext.Current.CancellationToken)).ShouldBe(known, "it has not moved");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>With the database of a host that was alone on it.</summary>
    private string Folder(string name)
    {
        var folder = Path.Combine(_home, name);
        using var services = new ServiceCollection().AddLogging().AddSqlite(folder).BuildServiceProvider();
        services.GetRequiredService<Runbooks.Sqlite.SqliteDatabase>();
        return folder;
    }

    private async Task OpenAsync(string folder, Azurite account, bool practice = false)
    {
        var config = Path.Combine(_home, "settings.json");
        await File.WriteAllTextAsync(config, $$"""{ "Storage": { "ConnectionString": "{{account.ConnectionString}}" } }""", TestContext.Current.CancellationToken);
        var settings = new ServerSettings { DataDirectory = folder, ConfigFile = config, Practice = practice, Storage = StorageKind.Azure };
        await using var app = await ServerHost.BuildAsync(settings, RunbookFolder.FindOrContainer(QuickRunbooks.Path), sandbox: null, cancellationToken: TestContext.Current.CancellationToken);
        await ServerHost.OpenStorageAsync(app.Services, settings, TestContext.Current.CancellationToken);
    }

    private static string Read(string folder, string name) => File.ReadAllText(Path.Combine(folder, name)).Trim();
}
