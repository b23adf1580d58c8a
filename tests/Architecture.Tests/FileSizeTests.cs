using TestKit;

namespace Architecture.Tests;

public sealed class FileSizeTests
{
    private static readonly string[] s_built = ["bin", "obj"];

    [Fact]
    public void NoFile_IsLongerThanIsRead()
    {
        var files = FilesIn("src", "tests", "benchmarks");

        files.Count.ShouldBeGreaterThan(500);
        files.Where(file => File.ReadLines(RepositoryRoot.Of(file)).Count() > 300).ShouldBeEmpty();
    }

    /// <summary>The end of a wider line is not seen in a review or a split window.</summary>
    [Fact]
    public void NoLine_IsWiderThanIsSeen() => FilesIn("src")
        .SelectMany(file => File.ReadLines(RepositoryRoot.Of(file)).Index().Where(line => line.Item.Length > 180).Select(line => $"{file}:{line.Index + 1}"))
        .ShouldBeEmpty();

    private static List<string> FilesIn(params string[] folders) => folders
        .SelectMany(folder => Directory.EnumerateFiles(RepositoryRoot.Of(folder), "*.cs", SearchOption.AllDirectories))
        .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(s_built).Any())
        .ToList();
}
