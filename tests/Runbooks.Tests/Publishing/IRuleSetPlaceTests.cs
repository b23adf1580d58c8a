using Runbooks.Model.Storage;
using Runbooks.Publishing;
using TestKit.Storage;

namespace Runbooks.Tests.Publishing;

public sealed class FolderPlaceTests : RuleSetPlaceContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("published-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LinkedFile_IsReadToItsEnd()
    {
        var (elsewhere, text) = (Path.Combine(_folder, "elsewhere"), new string('x', 5000));
        await File.WriteAllTextAsync(elsewhere, text, Cancel);
        File.CreateSymbolicLink(Path.Combine(_folder, "a.yaml"), elsewhere);

        (await Open().ReadPlainAsync(Cancel)).ShouldHaveSingleItem().Text.ShouldBe(text);
        (await Open().FindAsync("a.yaml", text.Length, Cancel))!.Content.Length.ShouldBe(text.Length);
    }

    [Fact]
    public async Task OnlyALockThatIsHeld_MeansThatSomebodyWasFirst()
    {
        var record = PublicationLog.Name;
        Directory.CreateDirectory(Path.Combine(_folder, "published"));
        using (File.Open(Path.Combine(_folder, "published", "lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            (await Open().ReplaceAsync(record, [1], null, Cancel)).ShouldBeFalse();
        }

        (await Open().ReplaceAsync(record, [1], null, Cancel)).ShouldBeTrue();
        Directory.Delete(Path.Combine(_folder, "published"), recursive: true);
        await File.WriteAllTextAsync(Path.Combine(_folder, "published"), "a file where a folder is needed", Cancel);

        await Should.ThrowAsync<StoreUnavailableException>(() => Open().ReplaceAsync(record, [1], null, Cancel));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override IRuleSetPlace Open() => new FolderPlace(_folder);
}
