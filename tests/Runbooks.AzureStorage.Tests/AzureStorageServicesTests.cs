using DurableTask.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Model.Storage;
using Runbooks.Orchestration.TaskHub;

namespace Runbooks.AzureStorage.Tests;

public sealed class AzureStorageServicesTests
{
    [Theory]
    [InlineData("There is no storage account: set Storage:ConnectionString, or Storage:AccountName")]
    [InlineData("are both set", "ConnectionString=UseDevelopmentStorage=true", "AccountName=runbooks")]
    [InlineData("bare name of an account", "AccountName=https://runbooks.blob.core.windows.net/")]
    [InlineData("is not the connection string of a storage account", "ConnectionString=nonsense")]
    [InlineData("is not the connection string of a storage account", "ConnectionString=AccountName=a;AccountKey=notbase64")]
    [InlineData("3 to 45 letters and digits", "AccountName=runbooks", "TaskHubName=my-hub")]
    public void SettingsThatNameNoAccount_SayWhatToDo(string remedy, params string[] settings) =>
        Should.Throw<OptionsValidationException>(() => Provide(settings).GetRequiredService<IOptions<StorageAccountOptions>>().Value).Message.ShouldContain(remedy);

    [Theory]
    [InlineData("ConnectionString=UseDevelopmentStorage=true")]
    [InlineData("AccountName=runbooks")]
    [InlineData("AccountName=runbooks", "ClientId=11111111-1111-1111-1111-111111111111", "TaskHubName=Other")]
    public async Task OneAccount_GivesTheStoresAndTheHub(params string[] settings)
    {
        await using var provider = Provide(settings);
        provider.GetRequiredService<IIncidentStore>().ShouldBeOfType<TableIncidentStore>();
        provider.GetRequiredService<ISharedState>().ShouldBeOfType<TableSharedState>();
        provider.GetRequiredService<IEvidenceStore>().ShouldBeOfType<BlobEvidenceStore>();
        provider.GetRequiredService<IOrchestrationService>().ShouldBeOfType<AzureOrchestrationService>();
        provider.GetRequiredService<IOrchestrationServiceClient>().ShouldBeSameAs(provider.GetRequiredService<IOrchestrationService>());
    }

    [Fact]
    public void NameOfAnAccount_IsTheAddressOfItsTablesAndBlobs()
    {
        using var provider = Provide(["AccountName=runbooks", "ClientId=11111111-1111-1111-1111-111111111111"]);

        var stores = provider.GetRequiredService<IOptions<AzureStorageOptions>>().Value;

        (stores.BlobServiceUri, stores.TableServiceUri).ShouldBe((new("https://runbooks.blob.core.windows.net/"), new("https://runbooks.table.core.windows.net/")));
        stores.ClientId.ShouldBe("11111111-1111-1111-1111-111111111111");
    }

    [Theory]
    [InlineData()]
    [InlineData("BlobServiceUri=https://a.blob.core.windows.net/")]
    [InlineData("ConnectionString=UseDevelopmentStorage=true", "BlobServiceUri=https://a.blob.core.windows.net/", "TableServiceUri=https://a.table.core.windows.net/")]
    public void NeitherOrBothWaysToReachIt_StopTheStart(params string[] settings) =>
        Should.Throw<OptionsValidationException>(() => ProvideStores(settings).GetRequiredService<IOptions<AzureStorageOptions>>().Value)
            .Message.ShouldContain("either ConnectionString, or both");

    [Theory]
    [InlineData("ConnectionString=UseDevelopmentStorage=true")]
    [InlineData("BlobServiceUri=https://a.blob.core.windows.net/", "TableServiceUri=https://a.table.core.windows.net/")]
    [InlineData("BlobServiceUri=https://a.blob.core.windows.net/", "TableServiceUri=https://a.table.core.windows.net/", "ClientId=11111111-1111-1111-1111-111111111111")]
    public void OneWayToReachIt_GivesAllThreeStores(params string[] settings)
    {
        var provider = ProvideStores(settings);
        provider.GetRequiredService<IIncidentStore>().ShouldBeOfType<TableIncidentStore>();
        provider.GetRequiredService<ISharedState>().ShouldBeOfType<TableSharedState>();
        provider.GetRequiredService<IEvidenceStore>().ShouldBeOfType<BlobEvidenceStore>();
    }

    private static ServiceProvider Provide(string[] settings)
    {
        var values = settings.Select(s => s.Split('=', 2)).Select(s => KeyValuePair.Create<string, string?>($"Storage:{s[0]}", s[1]));
        return new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(values).Build())
            .AddLogging()
            .AddTaskHub(_ => { })
            .AddStorageAccount()
            .BuildServiceProvider();
    }

    private static ServiceProvider ProvideStores(string[] settings)
    {
        var values = settings.Select(s => s.Split('=', 2)).Select(s => KeyValuePair.Create<string, string?>($"AzureStorage:{s[0]}", s[1]));
        return new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(values).Build())
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddAzureStorage()
            .BuildServiceProvider();
    }
}
