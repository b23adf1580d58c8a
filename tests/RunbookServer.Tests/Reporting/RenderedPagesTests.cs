using RunbookServer.Tests.EndToEnd;
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

    /// <summary>Who reads it at night copies the query: on one line, its comment would be all of it.</summary>
    [Fact]
    public async Task QueryOfSeveralLines_KeepsThem()
    {
        using var runbooks = new RunbookCopy(text => text);
        runbooks.Write("""
            id: stale
            title: Index stale
            trigger: [{ alert: Stale }]
            target: "{{ labels.index }}"
            impact: { severity: low, users: Nobody. }
            diagnosis:
              age:
                ask: How old is it?
                check: prometheus.query
                with:
                  failing: "> 5"
                  query: |
                    # by index
                    time() - max(written{index="{{ labels.index }}"})
            resolution: { steps: { tell: { do: note, with: { text: It is stale. } } } }
            """, "stale.yaml");
        var alert = Path.Combine(runbooks.Path, "stale.generic.json");
        await File.WriteAllTextAsync(alert, """{ "name": "Stale", "labels": { "index": "docs" } }""", TestContext.Current.CancellationToken);

        (await ProgramRun.RunAsync("render", "stale", "--runbooks", runbooks.Path)).Output.ShouldContain(
            "  - query:\n\n    ```text\n    # by index\n    time() - max(written{index=\"{{ labels.index }}\"})\n    ```\n");
        (await ProgramRun.RunAsync("simulate", "stale", "--runbooks", runbooks.Path, "--alert", alert)).Output.ShouldContain(
            "            query:\n              # by index\n              time() - max(written{index=\"docs\"})\n");
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

    /// <summary>What nobody is asked about must not look like what somebody is.</summary>
    [Theory]
    [InlineData("do: disk.deleteTempFiles, with: { folder: /var/tmp, olderThan: 3d }", "- Acts without asking, and tells afterwards.", "- Beyond them a person is asked.")]
    [InlineData("do: person, with: { instruction: Empty it., who: [oncall] }", "- Asks for each step that is done by hand.", "- Beyond them a person is asked.")]
    [InlineData("do: note, with: { text: It is filling. }", "- Tells people, and changes nothing.", "- Beyond them nobody is told again.")]
    public async Task ResolutionAlone_SaysWhatCallsForItAndThatNobodyIsAsked(string step, string asked, string limits)
    {
        using var runbooks = new RunbookCopy(_ => $$$"""
            id: alone
            title: Disk full
            trigger: [{ alert: DiskFull }]
            target: "{{ labels.machine }}"
            impact: { severity: low, users: None. }
            diagnosis:
              disk: { ask: Is it full?, check: always, with: { finding: failing } }
            resolution:
              steps: { tidy: { {{{step}}} } }
            limits: { maxRuns: 3, per: 1h }
            """);

        var (code, page, error) = await ProgramRun.RunAsync("render", "hanged-gpu", "--runbooks", runbooks.Path);

        code.ShouldBe(0, error);
        page.ShouldContain($"## Resolution\n\n- Called for when any check fails.\n{asked}\n");
        page.ShouldContain(limits);
        page.ShouldNotContain("## Mitigation");
    }

    [Fact]
    public void Pages_AreOfShippedRunbooksOnly() =>
        Directory.GetFiles(s_pages).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal).ShouldBe(Shipped.Select(row => row.Data));
}
