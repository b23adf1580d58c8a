using System.Globalization;
using System.Text.RegularExpressions;
using TestKit;

namespace Infra.Tests;

/// <summary>The options classes of the Functions app, from their source: its packages are not in every registry, so it cannot be loaded here.</summary>
static partial class FunctionsAppOptions
{
    public static IEnumerable<(string Section, ReadSetting Setting)> Read()
    {
        foreach (var source in Directory.EnumerateFiles(RepositoryRoot.Of("src", "RunbookFunctions"), "*Options.cs", SearchOption.AllDirectories).Select(File.ReadAllText))
        {
            var section = SectionName().Match(source).Groups[1].Value;
            foreach (Match property in Property().Matches(source))
            {
                var name = property.Groups[1].Value;
                yield return (section, new ReadSetting($"{section}__{name}", Default(property.Groups[2].Value), SourceComments.Of(source, name)));
            }
        }
    }

    private static string Default(string written) => Minutes().Match(written) is { Success: true } minutes
        ? TimeSpan.FromMinutes(int.Parse(minutes.Groups[1].Value, CultureInfo.InvariantCulture)).ToString()
        : written.Trim('"');

    [GeneratedRegex("const string SectionName = \"([A-Za-z:]+)\"", RegexOptions.NonBacktracking)]
    private static partial Regex SectionName();

    [GeneratedRegex(@"public [A-Za-z?<>]+ ([A-Za-z]+) \{ get; set; \}(?: = ([^;]+);)?", RegexOptions.NonBacktracking)]
    private static partial Regex Property();

    [GeneratedRegex(@"^TimeSpan\.FromMinutes\((\d+)\)$", RegexOptions.NonBacktracking)]
    private static partial Regex Minutes();
}
