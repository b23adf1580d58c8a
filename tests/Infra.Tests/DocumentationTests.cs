using System.Text.RegularExpressions;
using TestKit;

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

    /// <summary>Each fault of the page is held by tests, and each of them is there.</summary>
    [Fact]
    public void EveryTestThatThePageOfFaultsNames_Exists()
    {
        var rows = File.ReadLines(RepositoryRoot.Of("docs", "reliability.md")).SkipWhile(line => line != "## Faults").TakeWhile(line => !line.StartsWith("## Killing", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).ToList();
        var tests = string.Concat(Directory.EnumerateFiles(RepositoryRoot.Of("tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));

        rows.Count.ShouldBeGreaterThan(15);
        foreach (var row in rows)
        {
            var named = TestNames().Matches(row.Split('|')[^2]).Select(match => match.Groups[1].Value).ToList();
            named.ShouldNotBeEmpty(row);
            named.Where(name => !tests.Contains($" {name}(", StringComparison.Ordinal)).ShouldBeEmpty();
        }
    }

    /// <summary>Pages and pictures that pages lead to are there, and so are the headings.</summary>
    [Fact]
    public void EveryLinkBetweenPages_LeadsSomewhere()
    {
        string[] pages = [RepositoryRoot.Of("README.md"), RepositoryRoot.Of("CONTRIBUTING.md"), .. Directory.EnumerateFiles(RepositoryRoot.Of("docs"), "*.md", SearchOption.AllDirectories)];
        var broken = new List<string>();
        foreach (var page in pages)
        {
            foreach (var link in Links().Matches(File.ReadAllText(page)).Select(match => match.Groups["page"].Value).Where(link => !link.Contains("://", StringComparison.Ordinal)))
            {
                var parts = link.Split('#', 2);
                var target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
                if (!Path.Exists(target) || (parts.Length == 2 && !Headings(target).Contains(parts[1])))
                {
                    broken.Add($"{Path.GetFileName(page)}: {link}");
                }
            }
        }

        broken.ShouldBeEmpty();
    }

    /// <summary>The page that explains host.json says what stands in it.</summary>
    [Theory]
    [InlineData("hubName")]
    [InlineData("defaultVersion")]
    [InlineData("partitionCount")]
    [InlineData("extendedSessionsEnabled")]
    [InlineData("telemetryMode")]
    public void SettingOfTheHost_IsOnThePageAsItIs(string name)
    {
        var value = Regex.Match(File.ReadAllText(RepositoryRoot.Of("host.json")), $"\"{name}\": \"?([^\",\\s]+)").Groups[1].Value;
        var row = File.ReadLines(RepositoryRoot.Of("docs", "operations.md")).Single(line => line.StartsWith('|') && line.Split('|')[1].Contains(name, StringComparison.Ordinal));

        row.Split('|')[2].Replace("`", "", StringComparison.Ordinal).Split(',')[0].Trim().ShouldBe(value);
    }

    /// <summary>The platform's default is to restart everything, which whoever deploys has to know.</summary>
    [Fact]
    public void HowTheAppIsUpdated_IsSaidAsTheTemplateHasIt()
    {
        File.ReadAllText(RepositoryRoot.Of("infra", "bicep", "modules", "function-app.bicep")).ShouldNotContain("siteUpdateStrategy");
        var upgrade = File.ReadAllText(RepositoryRoot.Of("docs", "operations.md")).Split("\n## ").Single(section => section.StartsWith("Upgrade with", StringComparison.Ordinal));

        upgrade.ShouldContain("**restarts all instances at once**");
    }

    /// <summary>The Functions host looks at a header of its own for its keys, and refuses whoever sends the key in another.</summary>
    [Fact]
    public void WhereAKeyIsSent_ThePageNamesTheHeaderOfTheFunctionsApp()
    {
        var sections = Directory.EnumerateFiles(RepositoryRoot.Of("docs"), "*.md").SelectMany(page => File.ReadAllText(page).Split("\n## ")).Where(section => KeyHeaders().IsMatch(section)).ToList();

        sections.Count.ShouldBeGreaterThan(5);
        sections.Where(section => !section.Contains("x-functions-key", StringComparison.Ordinal)).Select(section => section.Split('\n')[0]).ShouldBeEmpty();
    }

    /// <summary>The SDK speaks a version of the API that the emulator comes to know months later, and refuses until then.</summary>
    [Fact]
    public void EveryEmulatorThatAPageStarts_TakesTheVersionOfTheSdk()
    {
        var starts = Directory.EnumerateFiles(RepositoryRoot.Of("docs"), "*.md", SearchOption.AllDirectories)
            .SelectMany(File.ReadLines).SelectMany(line => Emulators().Matches(line).Select(match => match.Value)).ToList();

        starts.Count.ShouldBeGreaterThan(2);
        starts.ShouldAllBe(start => start.Contains("--skipApiVersionCheck", StringComparison.Ordinal));
    }

    /// <summary>The Functions host is started in a folder of its own, where a path that does not begin at the root leads elsewhere.</summary>
    [Fact]
    public void OutboxOfTheSampleSettings_IsPutWhereThePageSays()
    {
        File.ReadAllText(RepositoryRoot.Of("local.settings.sample.json")).ShouldContain("\"Outbox:Folder\": \"data/outbox\"");
        File.ReadAllText(RepositoryRoot.Of("docs", "operations.md")).ShouldContain("sed \"s#data/outbox#$PWD/data/outbox#\" local.settings.sample.json > local.settings.json");
    }

    private static IEnumerable<string> Headings(string page) => File.ReadLines(page).Where(line => line.StartsWith('#'))
        .Select(line => NoAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex("`([A-Za-z]+_[A-Za-z0-9]+)`")]
    private static partial Regex TestNames();

    [GeneratedRegex(@"(?:\]\(|(?:src|href)="")(?<page>[\w./#-]+)[)""]", RegexOptions.NonBacktracking)]
    private static partial Regex Links();

    [GeneratedRegex("azurite -[^`#&]*")]
    private static partial Regex Emulators();

    [GeneratedRegex("X-Api-Key|Authorization: Bearer|/etc/alertmanager/|as authorization header")]
    private static partial Regex KeyHeaders();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"`((?:infra|tests|src|\.github)/[\w./-]+\.\w+)`", RegexOptions.NonBacktracking)]
    private static partial Regex Paths();

    [GeneratedRegex("name: '(runbooks-[a-z-]+)'", RegexOptions.NonBacktracking)]
    private static partial Regex AlertNames();
}
