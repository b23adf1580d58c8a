using System.Text.RegularExpressions;
using Runbooks.Catalog.Reading;

namespace Runbooks.Catalog.Tests;

public sealed class FormatPageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "runbook-format.md"));

    private static readonly string s_example = string.Concat(
        Regex.Matches(s_page, "^```yaml\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline).Select(part => part.Groups[1].Value));

    private readonly RunbookReader _reader = new(SampleSteps.Catalog());

    [Fact]
    public void ExamplesOfThePage_AreAWholeRunbook() => _reader.Read("page", s_example).Errors.ShouldBeEmpty();

    [Fact]
    public void ErrorsOfThePage_AreWhatTheReaderSays()
    {
        var text = s_example
            .Replace("summary:", "sumary:", StringComparison.Ordinal)
            .Replace("check: prometheus.query", "check: promteheus.query", StringComparison.Ordinal)
            .Replace("after: 10m", "after: 30m", StringComparison.Ordinal);

        var errors = _reader.Read("hanged-gpu.yaml", text).Errors;

        errors.Count.ShouldBe(3);
        s_page.ShouldContain(string.Join("\n", errors));
    }
}
