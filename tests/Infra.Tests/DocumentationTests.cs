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

    /// <summary>Each row of a table that says what holds is held by tests, and each of them is there, and runs.</summary>
    [Theory]
    [InlineData("reliability.md", 20)]
    [InlineData("safety.md", 8)]
    [InlineData("security.md", 12)]
    public void EveryTestThatATableNames_IsThere(string page, int least)
    {
        var rows = File.ReadLines(RepositoryRoot.Of("docs", page)).SkipWhile(line => !line.EndsWith("| held by |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|')).ToList();
        var tests = TestsThatRun();

        rows.Count.ShouldBeGreaterThanOrEqualTo(least);
        foreach (var row in rows)
        {
            var named = TestNames().Matches(row.Split('|')[^2]).Select(match => match.Groups[1].Value).ToList();
            named.ShouldNotBeEmpty(row);
            named.Except(tests).ShouldBeEmpty();
        }
    }

    /// <summary>Scripts and people compare a headline with what the page says.</summary>
    [Fact]
    public void EveryHeadlineOfAnEnding_IsOnThePageOfTheApi()
    {
        var headlines = Headlines().Matches(File.ReadAllText(RepositoryRoot.Of("src", "Runbooks.Model", "Incidents", "EndingText.cs"))).Select(match => match.Groups[1].Value);
        var rows = File.ReadLines(RepositoryRoot.Of("docs", "http.md")).SkipWhile(line => line != "| headline | when |").Skip(2).TakeWhile(line => line.StartsWith('|'));

        rows.Select(row => row.Split('`')[1]).ShouldBe(headlines, ignoreOrder: true);
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

    /// <summary>By class and name.</summary>
    private static HashSet<string> TestsThatRun()
    {
        var tests = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.Of("tests"), "*.cs", SearchOption.AllDirectories))
        {
            var (type, isTest) = ("", false);
            foreach (var line in File.ReadLines(file))
            {
                type = Types().Match(line) is { Success: true } found ? found.Groups[1].Value : type;
                isTest |= TestAttributes().IsMatch(line) && !line.Contains("Skip", StringComparison.Ordinal);
                if (Methods().Match(line) is { Success: true } method)
                {
                    tests.Add(isTest ? $"{type}.{method.Groups[1].Value}" : "");
                    isTest = false;
                }
            }
        }

        return tests;
    }

    [GeneratedRegex("\"(Taking back|Rehearsed|(?:Recovered|Told|Held back|Done|Failed), [a-z ]+)\"")]
    private static partial Regex Headlines();

    [GeneratedRegex("`([A-Za-z.]+_[A-Za-z0-9]+)`")]
    private static partial Regex TestNames();

    [GeneratedRegex(@"^(?:public |internal |abstract |sealed |static |partial )+class (\w+)")]
    private static partial Regex Types();

    [GeneratedRegex(@"^\s*\[(?:Fact|Theory)\b")]
    private static partial Regex TestAttributes();

    [GeneratedRegex(@"^\s*public [^(]*?(\w+)\(")]
    private static partial Regex Methods();

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
