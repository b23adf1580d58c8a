using Runbooks.Model.Storage;
using Runbooks.Sqlite.Store;
using TestKit.Storage;

namespace Runbooks.Sqlite.Tests.Store;

public sealed class FileEvidenceStoreTests : EvidenceStoreContract, IDisposable
{
    private readonly DataFolder _data = new();

    protected override IEvidenceStore Evidence => new FileEvidenceStore(Path.Combine(_data.Path, "evidence"));

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Links_AreNeverFollowed()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_data.Path, "outside"));
        var secret = Path.Combine(outside.FullName, "secret");
        await File.WriteAllTextAsync(secret, "secret", Now);
        await Save("i1", "pod.log", "x");
        File.CreateSymbolicLink(Path.Combine(_data.Path, "evidence", "i1", "link"), secret);
        Directory.CreateSymbolicLink(Path.Combine(_data.Path, "evidence", "i2"), outside.FullName);

        (await Evidence.OpenAsync("i1/link", Now)).ShouldBeNull();
        (await Evidence.OpenAsync("i2/secret", Now)).ShouldBeNull();
        await Save("i2", "secret", "overwritten").ShouldThrowAsync<StoreUnavailableException>();
        await Save("i1", "link", "new content");
        await Evidence.DeleteAsync("i2", Now);

        (await File.ReadAllTextAsync(secret, Now)).ShouldBe("secret");
        (await Read("i1/link")).ShouldBe("new content");
    }

    [Fact]
    public async Task FolderThatCannotBeMade_IsUnavailable()
    {
        await File.WriteAllTextAsync(Path.Combine(_data.Path, "evidence"), "a file in the way", Now);
        await Save("i1", "pod.log", "x").ShouldThrowAsync<StoreUnavailableException>();
    }

    [Fact]
    public async Task ContentThatBreaksOff_LeavesNoHalfFile()
    {
        await ContentThatBreaksOff_LeavesWhatWasThere();
        Directory.GetFileSystemEntries(Path.Combine(_data.Path, "evidence", "i1")).Length.ShouldBe(1);
    }
}
