using System.Runtime.Versioning;
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

public sealed class FileWitnessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("runbooks-").FullName;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    /// <summary>As Kubernetes does at each mount of a volume with fsGroup, and whoever looks after the rights of the folder.</summary>
    [Fact, SupportedOSPlatform("linux")]
    public async Task OtherRights_AreNoOtherFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems do not tell.");
        var path = Path.Combine(_folder, "generation");
        var written = await new FileWitness(path).WriteAsync(7, Now);

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);

        (await new FileWitness(path).ReadAsync(Now)).ShouldBe(written);
    }

    [Fact]
    public async Task CopyAndTheNextGeneration_AreOtherFiles()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems do not tell.");
        var (path, copy) = (Path.Combine(_folder, "generation"), Path.Combine(_folder, "copy"));
        var written = await new FileWitness(path).WriteAsync(7, Now);
        File.Copy(path, copy);

        (await new FileWitness(copy).ReadAsync(Now))!.Mark.ShouldNotBe(written.Mark);
        (await new FileWitness(path).WriteAsync(7, Now)).Mark.ShouldNotBe(written.Mark);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
