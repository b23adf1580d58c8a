using System.Text.Json.Nodes;
using RunbookServer.Commands;

namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook new</c>: what it writes is a runbook without a doubt, and its test passes.</summary>
public sealed class NewTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    public static TheoryData<string> Templates => [.. NewCommand.Templates];

    [Theory]
    [MemberData(nameof(Templates))]
    public async Task EveryTemplate_ValidatesStrictlyAndItsTestPasses(string template)
    {
        var (code, output, error) = await ProgramRun.RunAsync("new", "cache-full", "--from", template, "--runbooks", _home, "--title", "Cache: full #3", "--owner", "team \"a\"");
        code.ShouldBe(0, error);
        output.ShouldContain(Path.Combine(_home, "cache-full.yaml"));

        (code, output, error) = await ProgramRun.RunAsync("validate", "--strict", "--runbooks", _home);
        code.ShouldBe(0, output + error);
        (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _home);
        code.ShouldBe(0, output);
        output.ShouldContain("1 passed, 0 failed.");
        (await ProgramRun.RunAsync("render", "cache-full", "--runbooks", _home)).Output.ShouldStartWith("# Cache: full #3\n");
    }

    /// <summary>Nobody has said so, and what it would lean on is known to be down.</summary>
    [Fact]
    public async Task LeaseWhoseStandInIsDown_SilenceApprovesNothing()
    {
        await ProgramRun.RunAsync("new", "outage", "--from", "lease", "--runbooks", _home);
        await File.WriteAllTextAsync(
            Path.Combine(Directory.CreateDirectory(Path.Combine(_home, "tests", "outage", "both-down")).FullName, "test.yaml"),
            "source: alertmanager\nalert: { name: ProviderErrors, labels: { provider: big-one } }\nchecks: { provider-down: [failing], local-model: [failing] }\nexpect: { state: expired, steps: {} }\n",
            TestContext.Current.CancellationToken);

        var (_, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _home);

        output.ShouldContain("2 passed, 0 failed.");
    }

    [Fact]
    public async Task RunbookThatWasRenamed_ItsTestsAreMissed()
    {
        await ProgramRun.RunAsync("new", "cache-full", "--runbooks", _home);
        File.Move(Path.Combine(_home, "cache-full.yaml"), Path.Combine(_home, "cache.yaml"));

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _home);
        code.ShouldBe(1);
        output.ShouldContain("holds tests, and there is no runbook cache-full.yaml beside 'tests'.");

        Directory.Delete(Path.Combine(_home, "tests"), recursive: true);
        (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _home);
        code.ShouldBe(1);
        output.ShouldContain("There is no test: nothing was tried.");
        JsonNode.Parse((await ProgramRun.RunAsync("test", "--runbooks", _home, "--format", "json")).Output)!["passed"]!.GetValue<bool>().ShouldBeFalse();
        foreach (var (format, failure) in new[] { ("junit", "failures=\"1\""), ("sarif", "\"level\": \"error\""), ("github", "::error file=") })
        {
            (await ProgramRun.RunAsync("test", "--runbooks", _home, "--format", format)).Output.ShouldContain(failure);
        }
    }

    [Fact]
    public async Task FileThatIsThere_IsLeftAlone()
    {
        var file = Path.Combine(_home, "mine.yaml");
        await File.WriteAllTextAsync(file, "mine", TestContext.Current.CancellationToken);

        var (code, _, error) = await ProgramRun.RunAsync("new", "mine", "--runbooks", _home);

        code.ShouldBe(2);
        error.ShouldContain("is there already");
        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe("mine");
    }

    [Theory]
    [InlineData("No-Id", "is no id of a runbook")]
    [InlineData("../outside", "is no id of a runbook")]
    [InlineData("contacts", "means something else to a host")]
    [InlineData("windows", "means something else to a host")]
    [InlineData("team", "means something else to a host")]
    public async Task WrongId_IsRefused(string id, string why) => (await ProgramRun.RunAsync("new", id, "--runbooks", _home)).Error.ShouldContain(why);

    [Fact]
    public async Task WordsThatYamlReadsOtherwise_AreTextAndPlaceholdersAreRefused()
    {
        (await ProgramRun.RunAsync("new", "one", "--runbooks", _home, "--owner", "null")).Code.ShouldBe(0);
        (await ProgramRun.RunAsync("validate", "--runbooks", _home)).Code.ShouldBe(0);

        (await ProgramRun.RunAsync("new", "two", "--runbooks", _home, "--title", "Full {{ labels.pod }}")).Error.ShouldContain("--title holds '{{'");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);
}
