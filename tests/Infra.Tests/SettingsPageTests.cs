using System.Text;
using Runbooks.Settings;
using TestKit;

namespace Infra.Tests;

/// <summary>docs/settings.md is written by this test out of the options classes: <c>UPDATE_DOCS=1 dotnet test tests/Infra.Tests</c>.</summary>
public class SettingsPageTests
{
    private static readonly string _page = RepositoryRoot.Of("docs", "settings.md");

    private const string _head = """
        # Settings

        Every setting of the code, with its default and effect. This page is written out of the options classes; do not edit it: change the comment at the property and run `UPDATE_DOCS=1 dotnet test tests/Infra.Tests`.

        Names are as app settings, `Section__Key`. A self-hosted process reads the environment variable `RUNBOOK_Section__Key`, and none without that prefix, or the JSON file of `--config`, where the two underscores are nesting; so it is wherever these documents name a setting. A star is an index (`__0`, `__1`, …) or a key; a list takes its index also where it has one value, and a value in place of a list keeps the host from starting. Times are `hh:mm:ss`, and `90.00:00:00` is 90 days; a bare number is refused. What the Bicep template sets by itself is in `infra/app-settings.json`.

        """;

    /// <summary>Sections that are on the page are exact. A new section is put there the next time the page is written.</summary>
    [Fact]
    public void Page_SaysWhatTheCodeReads()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(_page, _head + string.Concat(OptionsClasses.Settings.Keys.Select(Section)));
        }

        var page = File.ReadAllText(_page);
        var sections = page.Split("\n## ").Skip(1).ToDictionary(section => section.Split('\n')[0], section => $"\n## {section.TrimEnd()}\n");

        sections.ShouldNotBeEmpty();
        foreach (var (name, text) in sections)
        {
            OptionsClasses.Settings.ShouldContainKey(name, "the page is out of date");
            text.ShouldBe(Section(name), $"the page is out of date: see its first lines ({name})", StringCompareShould.IgnoreLineEndings);
        }
    }

    /// <summary>The page is only as good as the comments it is made of.</summary>
    [Fact]
    public void Page_ShowsNoSecretByDefault() =>
        OptionsClasses.Settings.Values.SelectMany(settings => settings)
            .Where(setting => ((string[])["Key", "Secret", "Password", "Token"]).Any(word => setting.Name.EndsWith(word, StringComparison.Ordinal)))
            .ShouldEach(setting => setting.Default.Length == 0);

    private static string Section(string name)
    {
        var reader = SettingsOfOneHost.ReaderOf(name) is { } all ? $"{all} reads it.\n\n" : "";
        var text = new StringBuilder($"\n## {name}\n\n{reader}| setting | default | effect |\n|---|---|---|\n");
        foreach (var setting in OptionsClasses.Settings[name])
        {
            var shown = setting.Default.Length == 0 ? "" : $"`{setting.Default}`";
            var ofOne = reader.Length == 0 && SettingsOfOneHost.ReaderOf(setting.Name.Replace("__", ":", StringComparison.Ordinal)) is { } one ? $" {one} reads it." : "";
            text.Append($"| `{setting.Name}` | {shown} | {setting.Means}{ofOne} |\n");
        }

        return text.ToString();
    }
}
