using System.Runtime.Versioning;
using Runbooks.Sqlite.Store;

namespace Runbooks.Sqlite.Tests.Store;

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
