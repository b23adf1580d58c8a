using Runbooks.Catalog.Parameters;
using Runbooks.Storage;

namespace Runbooks.Tests.Storage;

public sealed class SampleFolderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("runbooks-samples-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void TextFilesBesideTheRunbooks_AreReadAndNothingElse()
    {
        Write("runbooks/a.yaml", "id: a");
        Write("runbooks/flat.txt", "flat");
        Write("runbooks/samples/ordinary.txt", "ordinary");
        Write("runbooks/samples/long.txt", new string('x', 1_000_000));
        Write("runbooks/samples/deeper/none.txt", "deeper");
        Write("runbooks/tests/none.txt", "test");

        var files = SampleFolder.Read(Path("runbooks"));

        files.Keys.Order().ShouldBe(["flat.txt", "samples/long.txt", "samples/ordinary.txt"]);
        files["samples/ordinary.txt"].ShouldBe("ordinary");
        files["samples/long.txt"].Length.ShouldBe(SampleFileAttribute.MaxCharacters + 1);
    }

    [Fact]
    public void LinkThatLeadsOutside_IsNotFollowed()
    {
        Write("secret.txt", "secret");
        Write("elsewhere/more.txt", "secret");
        Write("runbooks/..data/mounted.txt", "as Kubernetes mounts a config map");
        File.CreateSymbolicLink(Path("runbooks/mounted.txt"), "..data/mounted.txt");
        File.CreateSymbolicLink(Path("runbooks/out.txt"), Path("secret.txt"));
        Directory.CreateSymbolicLink(Path("runbooks/away"), Path("elsewhere"));
        File.CreateSymbolicLink(Path("runbooks/through.txt"), "away/more.txt");
        File.CreateSymbolicLink(Path("runbooks/back.txt"), "away/../secret.txt");
        File.CreateSymbolicLink(Path("runbooks/round.txt"), "round.txt");
        Directory.CreateSymbolicLink(Path("runbooks/samples"), Path("elsewhere"));
        Directory.CreateSymbolicLink(Path("linked"), Path("runbooks"));

        SampleFolder.Read(Path("runbooks")).Keys.ShouldBe(["mounted.txt"]);
        SampleFolder.Read(Path("linked")).Keys.ShouldBe(["mounted.txt"]);
    }

    private string Path(string name) => System.IO.Path.Combine(_root.FullName, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(name))!);
        File.WriteAllText(Path(name), text);
    }
}
