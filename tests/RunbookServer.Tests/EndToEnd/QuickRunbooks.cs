using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>A folder with the shipped runbooks as <see cref="QuickRunbook"/> has them.</summary>
internal static class QuickRunbooks
{
    private static readonly string s_shipped = System.IO.Path.Combine(AppContext.BaseDirectory, "runbooks");

    public static string Path { get; } = Make();

    private static string Make()
    {
        var folder = System.IO.Path.Combine(AppContext.BaseDirectory, "quick-runbooks");
        foreach (var file in Directory.EnumerateFiles(s_shipped, "*", SearchOption.AllDirectories))
        {
            var copy = System.IO.Path.Combine(folder, System.IO.Path.GetRelativePath(s_shipped, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
            File.WriteAllText(copy, QuickRunbook.Of(File.ReadAllText(file)));
        }

        return folder;
    }
}
