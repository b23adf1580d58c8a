using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage.Tests;

public sealed class AzureStorageOptionsTests
{
    [Theory]
    [InlineData()]
    [InlineData("BlobServiceUri=https://a.blob.core.windows.net/")]
    [InlineData("ConnectionString=UseDevelopmentStorage=true", "BlobServiceUri=https://a.blob.core.windows.net/", "TableServiceUri=https://a.table.core.windows.net/")]
    public void NeitherOrBothWaysToReachIt_StopTheStart(params string[] settings) =>
        Should.Throw<OptionsValidationException>(() => Provide(settings).GetRequiredService<IOptions<AzureStorageOptions>>().Value)
            .Message.ShouldContain("either ConnectionString, or both");

    [Theory]
    [InlineData("ConnectionString=UseDevelopmentStorage=true")]
    [InlineData("BlobServiceUri=https://a.blob.core.windows.net/", "TableServiceUri=https://a.table.core.windows.net/")]
    [InlineData("BlobServiceUri=https://a.blob.core.windows.net/", "TableServiceUri=https://a.table.core.windows.net/", "ClientId=11111111-1111-1111-1111-111111111111")]
    public void OneWayToReachIt_GivesAllThreeStores(params string[] settings)
    {
        var provider = Provide(settings);
        provider.GetRequiredService<IIncidentStore>().ShouldBeOfType<TableIncidentStore>();
        provider.GetRequiredService<ISharedState>().ShouldBeOfType<TableSharedState>();
        provider.GetRequiredService<IEvidenceStore>().ShouldBeOfType<BlobEvidenceStore>();
    }

    private static ServiceProvider Provide(string[] settings)
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
