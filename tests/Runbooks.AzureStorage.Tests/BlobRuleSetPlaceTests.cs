using System.Text;
using Runbooks.Publishing;
using TestKit;
using TestKit.Storage;

namespace Runbooks.AzureStorage.Tests;

public sealed class BlobRuleSetPlaceTests(Azurite azurite) : RuleSetPlaceContract
{
    private readonly string _container = $"r{Guid.NewGuid():N}";

    [Fact]
    public async Task PlainFiles_AreReadAgainWhenTheyHaveChanged()
    {
        var (place, stop) = (Open(), TestContext.Current.CancellationToken);
        foreach (var name in (string[])["a.yaml", "contacts.yaml", "flat.txt", "samples/ordinary.txt", "samples/deeper/none.txt", "other/none.txt", "samples/none.md"])
        {
            await Open().WriteAsync(name, Encoding.UTF8.GetBytes($"text of {name}"), stop);
        }

        var file = RuleSet.Of(await place.ReadPlainAsync(stop)).Runbooks.ShouldHaveSingleItem();
        (file.Name, file.Text).ShouldBe(("a.yaml", "text of a.yaml"));
        file.Samples.ShouldBe([new("flat.txt", "text of flat.txt"), new("samples/ordinary.txt", "text of samples/ordinary.txt")], ignoreOrder: true);

        await Open().WriteAsync("a.yaml", "another text"u8.ToArray(), stop);
        RuleSet.Of(await place.ReadPlainAsync(stop)).Runbooks.ShouldHaveSingleItem().Text.ShouldBe("another text");
    }

    [Fact]
    public void AddressThatIsNoContainerOfTheAccount_IsRefusedWithTheRemedy()
    {
        var account = AddressOf("x").GetLeftPart(UriPartial.Authority);
        Refusal($"{account}/devstoreaccount1").ShouldContain("is not the address of a container");
        Refusal($"{account}/devstoreaccount1/a/b.yaml").ShouldContain("is not the address of a container");
        Refusal($"{account}/devstoreaccount1/a?sv=2024&sig=secret").ShouldNotContain("secret");
        Refusal("https://other.blob.core.windows.net/runbooks").ShouldContain("is not in the account of Storage:ConnectionString");
        Should.Throw<FormatException>(() => BlobRuleSetPlace.Open(new Uri("http://other.blob.core.windows.net/runbooks"), null, null)).Message.ShouldContain("https");
        BlobRuleSetPlace.Open(new Uri("https://other.blob.core.windows.net/runbooks"), null, null).Address.ShouldBe("https://other.blob.core.windows.net/runbooks");
    }

    protected override IRuleSetPlace Open() => BlobRuleSetPlace.Open(AddressOf(_container), azurite.ConnectionString, null);

    private string Refusal(string address) => Should.Throw<FormatException>(() => BlobRuleSetPlace.Open(new Uri(address), azurite.ConnectionString, null)).Message;

    private Uri AddressOf(string container) => new(new AzureStorageClients(new AzureStorageOptions { ConnectionString = azurite.ConnectionString }).RuleSet(container).Address);
}
