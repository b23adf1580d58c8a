using System.Text.RegularExpressions;

namespace Infra.Tests;

public partial class DocumentationTests
{
    /// <summary>A reader who follows the page must find what it names.</summary>
    [Theory]
    [InlineData("docs/operations.md")]
    [InlineData("docs/security.md")]
    public void EveryFileOfTheInfrastructureThatIsNamed_Exists(string page)
    {
        var named = Paths().Matches(File.ReadAllText(RepositoryRoot.Of(page.Split('/')))).Select(match => match.Groups[1].Value).Distinct().ToList();

        named.ShouldNotBeEmpty();
        named.Where(path => !Path.Exists(RepositoryRoot.Of(path.Split('/')))).ShouldBeEmpty();
    }

    [Fact]
    public void EveryAlertOnTheSystem_SaysWhatToDo()
    {
        var page = File.ReadAllText(RepositoryRoot.Of("docs", "operations.md"));
        var rules = AlertNames().Matches(File.ReadAllText(RepositoryRoot.Of("infra", "bicep", "modules", "alerts", "system.bicep")))
            .Select(match => match.Groups[1].Value).ToList();

        rules.Count.ShouldBe(5);
        rules.ShouldAllBe(rule => page.Contains($"| `{rule}` |", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"`((?:infra|tests|src|\.github)/[\w./-]+\.\w+)`", RegexOptions.NonBacktracking)]
    private static partial Regex Paths();

    [GeneratedRegex("name: '(runbooks-[a-z-]+)'", RegexOptions.NonBacktracking)]
    private static partial Regex AlertNames();
}
