using Microsoft.Extensions.DependencyInjection;
using RunbookServer.Hosting;
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

        await OpenAsync(first);
        await OpenAsync(second);

        Read(first, "api-key").ShouldBe(known);
        Read(second, "api-key").ShouldBe(known, "the account had a key before it came");
        Read(second, "api-key.old").ShouldBe(other);
        File.Exists(Path.Combine(first, "api-key.old")).ShouldBeFalse();
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

    private async Task OpenAsync(string folder)
    {
        var config = Path.Combine(_home, "settings.json");
        await File.WriteAllTextAsync(config, $$"""{ "Storage": { "ConnectionString": "{{azurite.ConnectionString}}" } }""", TestContext.Current.CancellationToken);
        var settings = new ServerSettings { DataDirectory = folder, ConfigFile = config, Practice = false, Storage = StorageKind.Azure };
        await using var app = await ServerHost.BuildAsync(settings, RunbookFolder.FindOrContainer(QuickRunbooks.Path), sandbox: null, cancellationToken: TestContext.Current.CancellationToken);
        await ServerHost.OpenStorageAsync(app.Services, settings, TestContext.Current.CancellationToken);
    }

    private static string Read(string folder, string name) => File.ReadAllText(Path.Combine(folder, name)).Trim();
}
