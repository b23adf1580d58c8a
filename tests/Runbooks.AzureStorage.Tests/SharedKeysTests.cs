using TestKit;

namespace Runbooks.AzureStorage.Tests;

public sealed class SharedKeysTests(Azurite azurite)
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ManyFirstStartsAtOnce_AgreeOnOneKey()
    {
        var name = $"{Guid.NewGuid():N}";

        var keys = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Process().FindOrMakeAsync(name, () => $"key of {n}", Now)));

        keys.Distinct().ShouldHaveSingleItem().ShouldStartWith("key of ");
        (await Process().FindOrMakeAsync(name, () => "another", Now)).ShouldBe(keys[0]);
    }

    [Fact]
    public async Task KeysOfOtherNames_AreOthers()
    {
        var (one, two) = ($"{Guid.NewGuid():N}", $"{Guid.NewGuid():N}");
        await Process().FindOrMakeAsync(one, () => "first", Now);

        (await Process().FindOrMakeAsync(two, () => "second", Now)).ShouldBe("second");
    }

    private SharedKeys Process() => new(new AzureStorageClients(new AzureStorageOptions { ConnectionString = azurite.ConnectionString }));
}
