using System.Text.Json;
using System.Xml.Linq;
using Runbooks.Catalog.Problems;
using RunbookServer.Tests.EndToEnd;

namespace RunbookServer.Tests.Reporting;

/// <summary>
/// A folder of files that are valid and warned about, and what <c>validate</c> says of them in each format, word for word. After a
/// change that is meant, set UPDATE_CASES to <c>tests/RunbookServer.Tests/Reporting/expected</c>, run, and read the difference.
/// </summary>
public sealed class WarnedFilesTests
{
    private static readonly string s_here = Path.Combine(AppContext.BaseDirectory, "Reporting");

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("github")]
    [InlineData("sarif")]
    [InlineData("junit")]
    public async Task EachFormat_SaysTheSameAsBefore(string format)
    {
        var (code, output, error) = await ValidateAsync("--format", format);

        code.ShouldBe(0, error);
        var file = Path.Combine(s_here, "expected", $"{format}.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_CASES") is { Length: > 0 } source)
        {
            await File.WriteAllTextAsync(Path.Combine(source, $"{format}.txt"), output, TestContext.Current.CancellationToken);
            return;
        }

        output.ShouldBe(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Strict_CountsWarningsAsErrors()
    {
        var (code, _, error) = await ValidateAsync("--strict");

        code.ShouldBe(1);
        error.ShouldMatch(@"\d+ warnings in 11 of 12 files\.");
        (await ValidateAsync("--strict", "--format", "github")).Output.ShouldStartWith("::error file=");
    }

    [Fact]
    public async Task EveryWarning_IsInTheFolder()
    {
        var json = JsonDocument.Parse((await ValidateAsync("--format", "json")).Output).RootElement;

        json.GetProperty("cases").EnumerateArray().SelectMany(one => one.GetProperty("problems").EnumerateArray()).Select(one => one.GetProperty("code").GetString()!).Distinct()
            .ShouldBe(WarningCodes.All.Keys, ignoreOrder: true);
    }

    [Fact]
    public void Page_HasASectionForEachWarning()
    {
        var page = File.ReadAllLines(Path.Combine(s_here, "warnings.md"));

        page.Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..]).Where(WarningCodes.All.ContainsKey).ShouldBe(WarningCodes.All.Keys);
    }

    [Fact]
    public async Task ShippedRunbooks_GiveNoWarning() => (await ProgramRun.RunAsync("validate", "--strict")).Code.ShouldBe(0);

    [Fact]
    public async Task OutputForMachines_IsWellFormed()
    {
        var sarif = JsonDocument.Parse((await ValidateAsync("--format", "sarif")).Output).RootElement.GetProperty("runs")[0];
        foreach (var result in sarif.GetProperty("results").EnumerateArray())
        {
            sarif.GetProperty("tool").GetProperty("driver").GetProperty("rules")[result.GetProperty("ruleIndex").GetInt32()].GetProperty("id").GetString().ShouldBe(result.GetProperty("ruleId").GetString());
        }

        XDocument.Parse((await ValidateAsync("--strict", "--format", "junit")).Output).Descendants("failure").Count().ShouldBe(11);
    }

    private static Task<(int Code, string Output, string Error)> ValidateAsync(params string[] options) =>
        ProgramRun.RunAsync(["validate", "--runbooks", Path.Combine(s_here, "warned"), .. options]);
}
