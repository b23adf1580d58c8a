using Microsoft.Extensions.DependencyInjection;
using RunbookServer.Hosting;
using RunbookServer.Terminal;
using RunbookServer.Tests.EndToEnd;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit;

namespace RunbookServer.Tests.Hosting;

/// <summary>A host that was alone on its data folder, and goes on in a storage account.</summary>
public sealed class FormerRecordsTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerSettings Settings => new() { DataDirectory = _data, Practice = false, Storage = StorageKind.Azure };

    [Fact]
    public async Task IncidentsThatAreNotOver_AreNotLeft()
    {
        await UseAsync(Some.Incident());
        File.WriteAllText(Path.Combine(_data, "settings.json"), """{ "Storage": { "ConnectionString": "UseDevelopmentStorage=true" } }""");

        var (code, _, error) = await ProgramRun.RunAsync("serve", "--no-practice", "--storage", "azure", "--port", "0", "--data", _data, "--config", Path.Combine(_data, "settings.json"));

        error.ShouldContain($"The data folder {_data} holds incidents that are not over (1 open, 0 waiting for an answer, 0 left to a person), and incidents do not move to a storage account");
        code.ShouldBe(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NothingIsOpenInIt_OrItIsForPractice_NothingIsRefused(bool practice)
    {
        await UseAsync(practice ? Some.Incident() : Some.Incident() with { State = IncidentState.Resolved, ClosedAt = Some.Time }, practice);

        using var former = await FormerRecords.FindAsync(Settings, Ct);

        (former is null).ShouldBe(practice);
    }

    [Fact]
    public async Task FolderThatSomebodyElseHolds_IsRefused()
    {
        await using var host = Services();
        host.GetRequiredService<IIncidentStore>();

        (await Should.ThrowAsync<CommandException>(() => FormerRecords.FindAsync(Settings, Ct))).Message.ShouldContain("is in use by another process");
    }

    /// <summary>Senders have the key. One that was made anew in the account must not bring it back, should it have leaked.</summary>
    [Fact]
    public async Task KeyOfTheApi_MovesOnce()
    {
        await UseAsync(incident: null);
        SecretFiles.WriteApiKey(_data, "what-senders-have");

        using (var former = await FormerRecords.FindAsync(Settings, Ct))
        {
            (await former!.FindApiKeyAsync(_data, Ct)).ShouldBe("what-senders-have");
            await former.NoteMovedAsync(Some.Time, Ct);
        }

        using var again = await FormerRecords.FindAsync(Settings, Ct);
        (await again!.FindApiKeyAsync(_data, Ct)).ShouldBeNull();
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private async Task UseAsync(Incident? incident, bool practice = false)
    {
        await using var services = Services();
        await PracticeGuard.KeepApartAsync(services, Settings with { Practice = practice, Storage = StorageKind.Sqlite }, Ct);
        if (incident is not null)
        {
            await services.GetRequiredService<IIncidentStore>().OpenAsync(incident, Some.Runbook(), latest => latest, Ct);
        }
    }

    private ServiceProvider Services() => new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddSingleton<IncidentChanges>().AddSqlite(_data).BuildServiceProvider();
}
