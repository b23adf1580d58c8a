using System.Text;
using Azure.Storage.Blobs;
using TestKit;

namespace Runbooks.AzureStorage.Tests;

public sealed class PublishedFilesTests(Azurite azurite)
{
    [Fact]
    public async Task Runbooks_AreReadWithTheTextFilesBesideThem()
    {
        var container = $"r{Guid.NewGuid():N}";
        await new BlobContainerClient(azurite.ConnectionString, container).CreateAsync(cancellationToken: TestContext.Current.CancellationToken);
        foreach (var name in (string[])["a.yaml", "contacts.yaml", "flat.txt", "samples/ordinary.txt", "samples/deeper/none.txt", "other/none.txt", "samples/none.md"])
        {
            await new BlobClient(azurite.ConnectionString, container, name).UploadAsync(new MemoryStream(Encoding.UTF8.GetBytes($"text of {name}")), TestContext.Current.CancellationToken);
        }

        var files = await new PublishedFiles(new AzureStorageClients(new AzureStorageOptions { ConnectionString = azurite.ConnectionString })).ReadAsync(container, TestContext.Current.CancellationToken);

        var file = files.ShouldHaveSingleItem();
        (file.Name, file.Text).ShouldBe(("a.yaml", "text of a.yaml"));
        file.Samples.ShouldBe([new("flat.txt", "text of flat.txt"), new("samples/ordinary.txt", "text of samples/ordinary.txt")], ignoreOrder: true);
    }
}
