using RunbookServer.Tests.EndToEnd;
using RunbookServer.Tests.Terminal;
using TestKit;

namespace RunbookServer.Tests.Reporting;

/// <summary><c>docs/runbooks/</c> is rendered out of the shipped runbooks: <c>UPDATE_DOCS=1</c> writes it anew.</summary>
public sealed class RenderedPagesTests
{
    private static readonly string s_pages = RepositoryRoot.Of("docs", "runbooks");

    public static TheoryData<string> Shipped => [.. Directory.GetFiles(RepositoryRoot.Of("runbooks"), "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Shipped))]
    public async Task Page_SaysWhatTheRunbookSays(string id)
    {
        var (code, page, error) = await ProgramRun.RunAsync("render", id, "--runbooks", RepositoryRoot.Of("runbooks"));

        code.ShouldBe(0, error);
        var file = Path.Combine(s_pages, $"{id}.md");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(file, page, TestContext.Current.CancellationToken);
        }

        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe(page, $"docs/runbooks/{id}.md is not what the runbook says. Run the tests with UPDATE_DOCS=1.");
    }

    [Fact]
    public async Task ParameterThatIsSecret_IsRenderedAsDots()
    {
        using var runbooks = new RunbookCopy(text => text.Replace(
            "do: note, with: { text: Attach the kept logs to the ticket about the hang. }", "do: http.request, with: { url: https://hook.example/x, token: \"{{ settings.hook }}\" }", StringComparison.Ordinal));

        var (code, page, error) = await ProgramRun.RunAsync("render", "hanged-gpu", "--runbooks", runbooks.Path, "--setting", "hook=s3cret123");

        code.ShouldBe(0, error);
        page.ShouldContain("- token: `•••`");
        page.ShouldNotContain("s3cret123");
    }

    [Fact]
    public void Pages_AreOfShippedRunbooksOnly() =>
        Directory.GetFiles(s_pages).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal).ShouldBe(Shipped.Select(row => row.Data));
}
