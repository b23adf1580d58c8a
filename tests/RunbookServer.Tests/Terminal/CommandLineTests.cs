using System.CommandLine;
using System.Text.Json.Nodes;
using RunbookServer.Commands;
using RunbookServer.Tests.EndToEnd;
using TestKit;

namespace RunbookServer.Tests.Terminal;

public sealed class CommandLineTests
{
    private static readonly string s_page = RepositoryRoot.Of("docs", "cli.md");

    public static TheoryData<string> Commands => [.. CommandLine.Build().Subcommands.Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void EveryCommand_HasExamplesThatCanBeTyped(string name)
    {
        var root = CommandLine.Build();
        var examples = CommandExamples.Of(root.Subcommands.Single(command => command.Name == name));

        examples.ShouldNotBeEmpty();
        foreach (var example in examples.Where(example => !example.StartsWith("source", StringComparison.Ordinal)))
        {
            var typed = example.Split(" > ")[0].Split(" >> ")[0];
            var parsed = root.Parse(typed["runbook ".Length..]);
            parsed.Errors.ShouldBeEmpty(example);
            parsed.CommandResult.Command.Name.ShouldBe(name);
        }
    }

    [Fact]
    public void Examples_AreOfCommandsThatThereAre() =>
        CommandExamples.Commands.ShouldBe([.. CommandLine.Build().Subcommands.Select(command => command.Name), "runbook"], ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task HelpOfEveryCommand_EndsWithItsExamples(string name)
    {
        var (code, output, error) = await ProgramRun.RunAsync(name, "--help");

        (code, error).ShouldBe((0, ""));
        output.ShouldContain($"Examples:{Environment.NewLine}  {CommandExamples.Of(CommandLine.Build().Subcommands.Single(command => command.Name == name))[0]}");
    }

    [Theory]
    [InlineData("inci", "incidents")]
    [InlineData("incidents --", "--json")]
    [InlineData("completion ", "fish")]
    public async Task Completion_KnowsWhatMayComeNext(string typed, string next)
    {
        var (code, output, _) = await ProgramRun.RunAsync($"[suggest:{typed.Length}]", typed);

        code.ShouldBe(0);
        output.Split('\n').Select(line => line.Trim()).ShouldContain(next);
    }

    [Fact]
    public async Task CompletionOfBash_Completes()
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "There is no bash here.");
        var (_, script, _) = await ProgramRun.RunAsync("completion", "bash");
        var program = Path.Combine(AppContext.BaseDirectory, "runbook.dll");

        using var bash = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/bin/bash", ["-c", $"""
            runbook() {"{"} dotnet "{program}" "$@"; {"}"}
            {script}
            COMP_LINE="runbook incidents --js"; COMP_POINT=${"{"}#COMP_LINE{"}"}; _runbook; echo "$COMPREPLY"
            """]) { RedirectStandardOutput = true })!;
        (await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Trim().ShouldBe("--json");
    }

    /// <summary>docs/cli.md is written out of the commands: <c>UPDATE_DOCS=1 dotnet test tests/RunbookServer.Tests</c>.</summary>
    [Fact]
    public void Page_SaysWhatTheCommandsTake()
    {
        var page = CommandPage.Of(CommandLine.Build());
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(s_page, page);
        }

        File.ReadAllText(s_page).ShouldBe(page, "docs/cli.md is out of date: run the tests with UPDATE_DOCS=1", StringCompareShould.IgnoreLineEndings);
    }

    /// <summary>A user may be called what an option has for its default, such as <c>text</c>.</summary>
    [Fact]
    public void Page_IsTheSameWhoeverWritesIt()
    {
        Option<string> format = new("--format") { Description = "How.", DefaultValueFactory = _ => Environment.UserName };
        Option<string> by = new("--by") { Description = "Who did it.", DefaultValueFactory = _ => Environment.UserName };

        CommandPage.Of(new RootCommand { new Command("validate", "Reads.") { format, by } }).ShouldSatisfyAllConditions(
            page => page.ShouldContain($"| `--format` | How. `{Environment.UserName}` unless given. |"),
            page => page.ShouldContain("| `--by` | Who did it. |"));
    }

    [Fact]
    public void Incident_IsShownToBeRead()
    {
        var incident = JsonNode.Parse("""
            {
              "id": "261126-0312-k7m2p9wd", "title": "Hung GPU", "target": "inference/llm-b-0", "runbook": "hanged-gpu", "severity": "medium", "mode": "normal",
              "state": "awaitingApproval", "openedAt": "2026-11-26T03:12:00Z", "startedBy": "ada", "reason": null,
              "findings": [{ "ask": "Is the GPU memory full?", "verdict": "failing", "summary": "GPU memory is at 98 %.", "at": "2026-11-26T03:12:04Z" }],
              "gate": { "question": "Recycle pod llm-b-0?", "outcome": "pending", "plan": [{ "will": "Delete pod llm-b-0.", "undo": null }], "warnings": [], "approvers": ["oncall"], "needed": "2 different people have to approve. So far: nobody.", "ifNobodyAnswers": "At 03:32:00 UTC nothing is done." },
              "timeline": [{ "at": "2026-11-26T03:12:00Z", "who": "alertmanager", "what": "Opened." }]
            }
            """)!;

        ShowCommand.IncidentLines(incident, new DateTimeOffset(2026, 11, 26, 3, 15, 0, TimeSpan.Zero)).ShouldBe(
        [
            "Hung GPU on inference/llm-b-0",
            "  261126-0312-k7m2p9wd, runbook hanged-gpu, medium severity",
            "  Waiting for approval, opened 3 min ago (2026-11-26 03:12:00 UTC), started by ada",
            "",
            "Found",
            "  ✗ Is the GPU memory full? GPU memory is at 98 %. (2026-11-26 03:12:04 UTC)",
            "",
            "The question",
            "  Recycle pod llm-b-0?",
            "  - Delete pod llm-b-0. Cannot be undone.",
            "  2 different people have to approve. So far: nobody.",
            "  Asked: oncall. At 03:32:00 UTC nothing is done.",
            "  Answer with: runbook approve 261126-0312-k7m2p9wd, reject or take-over",
            "",
            "Record",
            "  2026-11-26 03:12:00 UTC alertmanager: Opened.",
        ]);
    }

    [Theory]
    [InlineData("null", "  Say that you see to it with: runbook acknowledge one")]
    [InlineData("\"ada\"", "  ada sees to it.")]
    public void IncidentThatNeedsAPerson_IsShownWithWhatToDo(string by, string line)
    {
        var incident = JsonNode.Parse($$"""
            {
              "id": "one", "title": "Hung GPU", "target": "b", "runbook": "hanged-gpu", "mode": "normal", "state": "failed", "openedAt": "2026-11-26T03:12:00Z",
              "attention": { "why": "so", "acknowledgedBy": {{by}} }, "leftToDo": ["Fix it by hand."]
            }
            """)!;

        ShowCommand.IncidentLines(incident, new DateTimeOffset(2026, 11, 26, 3, 15, 0, TimeSpan.Zero)).Skip(3)
            .ShouldBe(["", "What is left to do", "  Fix it by hand.", line, "  When it is over: runbook close one --reason WHY"]);
    }

    /// <summary>A changed plan may run by itself as well, and then nobody was asked about it.</summary>
    [Theory]
    [InlineData("pending", null, "The question", "  Fix it?", "  Why it is asked now: It deletes more.")]
    [InlineData("approved", "2026-11-26T03:13:00Z", "The question", "  Fix it?", "  Why it was asked: It deletes more.")]
    [InlineData("approved", "2026-11-26T03:12:00Z", "Nobody was asked", "  approved")]
    public void DifferenceOfAPlan_IsToldToWhoeverWasAsked(string outcome, string? closed, params string[] lines)
    {
        var incident = JsonNode.Parse($$"""
            {
              "id": "one", "title": "Hung GPU", "target": "b", "runbook": "hanged-gpu", "mode": "normal", "state": "mitigating", "openedAt": "2026-11-26T03:12:00Z",
              "gate": { "question": "Fix it?", "outcome": "{{outcome}}", "openedAt": "2026-11-26T03:12:00Z", "closedAt": "{{closed}}", "difference": "It deletes more.", "plan": [] }
            }
            """)!;

        ShowCommand.IncidentLines(incident, new DateTimeOffset(2026, 11, 26, 3, 15, 0, TimeSpan.Zero)).Skip(4).Take(lines.Length).ShouldBe(lines);
    }

    [Theory]
    [InlineData("03:14:30", "30 s")]
    [InlineData("03:00:00", "15 min")]
    [InlineData("01:10:00", "2 h 5 min")]
    public void Age_IsInTheUnitThatSaysSomething(string since, string age) =>
        IncidentsCommand.Age($"2026-11-26T{since}Z", new DateTimeOffset(2026, 11, 26, 3, 15, 0, TimeSpan.Zero)).ShouldBe(age);
}
