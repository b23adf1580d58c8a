using TestKit;

namespace Architecture.Tests;

public sealed class FileSizeTests
{
    private static readonly string[] s_built = ["bin", "obj"];

    [Fact]
    public void NoFile_IsLongerThanIsRead()
    {
        var files = ((string[])["src", "tests", "benchmarks"])
            .SelectMany(folder => Directory.EnumerateFiles(RepositoryRoot.Of(folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(s_built).Any())
            .ToList();

        files.Count.ShouldBeGreaterThan(500);
        files.Where(file => File.ReadLines(RepositoryRoot.Of(file)).Count() > 300).ShouldBeEmpty();
    }
}
