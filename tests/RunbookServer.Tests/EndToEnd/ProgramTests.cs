using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The program as a script meets it: what it writes and the code it ends with.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public async Task UnknownCommand_SaysSoInOneLine()
    {
        var (code, _, error) = await ProgramRun.StartAsync("recycle-everything");

        code.ShouldBe(2);
        error.ShouldContain("recycle-everything");
        error.TrimEnd().Split('\n').ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("Did you mean 'simulate'?", "simulat")]
    [InlineData("Did you mean '--source'? See: runbook fire --help", "fire", "hanged-gpu", "--sorce", "generic")]
    [InlineData("Did you mean 'hanged-gpu'?", "render", "hanged-gup")]
    [InlineData("Must be one of: 'azure-monitor'", "fire", "alert.json", "--source", "azure")]
    public async Task TypingMistake_SuggestsWhatWasMeant(string meant, params string[] arguments)
    {
        var (code, error) = await RunAsync(arguments);

        code.ShouldBe(2);
        error.ShouldContain(meant);
        error.TrimEnd().Split('\n').ShouldHaveSingleItem();
    }

    /// <summary>There it would be taken for an option of the host, and thrown away.</summary>
    [Theory]
    [InlineData("runbook validate --runbooks …", "--runbooks", "./mine", "validate")]
    [InlineData("runbook serve --no-practice …", "--no-practice", "serve", "--port", "0")]
    [InlineData("runbook approve --data …", "--data", "/var/lib/runbooks", "approve", "one")]
    [InlineData("runbook publish --config …", "--config", "settings.json", "publish", "--to", ".")]
    public async Task OptionBeforeTheCommand_IsRefusedWithWhereItBelongs(string right, params string[] arguments)
    {
        var (code, output, error) = await ProgramRun.RunAsync(arguments);

        (code, output).ShouldBe((2, ""));
        error.ShouldContain($"stands before the command, where it does nothing. Write it behind: {right}");
    }

    [Theory]
    [InlineData("incidents", "--port", "8080", "incidents")]
    [InlineData("fire", "--no-practice", "fire", "hanged-gpu")]
    public async Task OptionBeforeACommandThatHasNone_IsToBeLeftOut(string command, params string[] arguments)
    {
        var (code, output, error) = await ProgramRun.RunAsync(arguments);

        (code, output).ShouldBe((2, ""));
        error.ShouldContain($"stands before the command, where it does nothing. runbook {command} has no such option: leave it out. See:");
    }

    [Fact]
    public async Task PortTaken_SaysWhichAndWhatToDo()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var (code, error) = await RunAsync("serve", "--port", $"{port}", "--data", Path.Combine(_home, "data"));

        code.ShouldBe(2);
        error.ShouldContain($"Port {port} is taken");
        error.ShouldContain("--port");
    }

    [Fact]
    public async Task DataFolderInUse_SaysSo()
    {
        await using var host = await RunningHost.StartAsync();

        var (code, _, error) = await ProgramRun.StartAsync("serve", "--port", "0", "--data", host.DataFolder);

        code.ShouldBe(2);
        error.ShouldContain("in use by another process");
    }

    [Fact]
    public async Task DataFolderIsAFile_SaysSo()
    {
        var file = Path.Combine(_home, "data");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);

        var (code, error) = await RunAsync("serve", "--port", "0", "--data", file);

        code.ShouldBe(2);
        error.ShouldContain(file);
    }

    [Theory]
    [InlineData("There is no storage account: set Storage:ConnectionString, or Storage:AccountName")]
    [InlineData("are both set", "ConnectionString=UseDevelopmentStorage=true", "AccountName=runbooks")]
    [InlineData("is not the connection string of a storage account", "ConnectionString=AccountKey=c2VjcmV0")]
    [InlineData("Azure Storage cannot be reached", "ConnectionString=AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a")]
    public async Task AccountThatCannotBeUsed_SaysWhyInOneLine(string why, params string[] settings)
    {
        var config = Path.Combine(_home, "settings.json");
        var storage = settings.Select(setting => setting.Split('=', 2)).ToDictionary(setting => setting[0], setting => setting[1]);
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new { Storage = storage }), TestContext.Current.CancellationToken);

        var (code, error) = await RunAsync("serve", "--storage", "azure", "--no-practice", "--port", "0", "--data", Path.Combine(_home, "data"), "--config", config);

        code.ShouldBe(2);
        error.ShouldContain(why);
        error.ShouldNotContain("c2VjcmV0");
        error.TrimEnd().Split('\n').ShouldHaveSingleItem();
    }

    [Fact]
    public async Task PracticeOnEveryAddress_IsRefused()
    {
        var (code, error) = await RunAsync("serve", "--listen", "any", "--port", "0", "--data", Path.Combine(_home, "data"));

        code.ShouldBe(2);
        error.ShouldContain("--listen any goes with --no-practice");
    }

    [Fact]
    public async Task BrokenRunbooks_NothingStartsAndEveryErrorIsNamed()
    {
        using var runbooks = new RunbookCopy(_ => "id: hanged-gpu\ntrigger: nonsense\n");
        runbooks.Write("id: other\nnonsense: true\n", "other.yaml");

        var (code, error) = await RunAsync("serve", "--port", "0", "--data", Path.Combine(_home, "data"), "--runbooks", runbooks.Path);

        code.ShouldBe(1);
        error.ShouldContain("hanged-gpu.yaml");
        error.ShouldContain("other.yaml");
        error.ShouldContain("nonsense");
    }

    [Fact]
    public async Task NoHostAnswers_SaysHowToStartOne()
    {
        var (code, error) = await RunAsync("fire", "hanged-gpu", "--url", "http://127.0.0.1:1", "--key", "any");

        code.ShouldBe(3);
        error.ShouldContain("Nothing answers");
    }

    [Theory]
    [InlineData("""{"name":"NobodyKnowsIt","labels":{}}""", "ignored: ")]
    [InlineData("""{"alerts":5}""", "$.name: missing; give the alert")]
    [InlineData("""{"alerts":[{"name":"Stuck","runbook":"hanged-gpu","labels":{"namespace":"inference","pod":"llm-b-0","cluster":"b"}},{"name":"NobodyKnowsIt"}]}""", "ignored: ")]
    public async Task PostThatReachesNobody_SaysWhyAndEndsWithOne(string post, string why)
    {
        await using var host = await RunningHost.StartAsync();
        var file = Path.Combine(host.DataFolder, "post.json");
        await File.WriteAllTextAsync(file, post, TestContext.Current.CancellationToken);

        var (code, output, error) = await ProgramRun.RunAsync(["fire", file, "--source", "generic", "--url", host.Client.Http.BaseAddress!.ToString(), "--data", host.DataFolder]);

        code.ShouldBe(1, output);
        (output + error).ShouldContain(why);
        (output + error).ShouldNotContain("no details");
    }

    [Fact]
    public async Task CommandsAgainstARunningHost_FireApproveAndShow()
    {
        await using var host = await RunningHost.StartAsync();
        string[] connection = ["--url", host.Client.Http.BaseAddress!.ToString(), "--data", host.DataFolder];

        (await ProgramRun.RunAsync(["incidents", .. connection])).Output.ShouldBe("No incidents yet.\n");
        (await ProgramRun.RunAsync(["fire", "hanged-gpu", .. connection])).Output.ShouldStartWith("opened: hanged-gpu on b/inference/llm-b-0.\n");
        var id = (await host.Client.GetAsync("api/incidents"))["incidents"]![0]!["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        (await RunAsync(["approve", id, "--yes", "--by", "ada", .. connection])).Code.ShouldBe(0);
        await host.Client.WaitForAsync(id, "resolved");

        var report = (await ProgramRun.RunAsync(["report", id, .. connection])).Output;
        report.ShouldStartWith("# ");
        report.ShouldContain("## What was done\n");
        report.ShouldContain("ada approved");

        var file = Path.Combine(_home, "reviews", "incident.md");
        (await ProgramRun.RunAsync(["report", id, "--out", file, .. connection])).Code.ShouldBe(0);
        await File.AppendAllTextAsync(file, "What we learnt.", TestContext.Current.CancellationToken);
        (await RunAsync(["report", id, "--out", file, .. connection])).Error.ShouldContain("is there already and was left as it is. Name another file with --out.");
        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldEndWith("What we learnt.");

        var (code, error) = await RunAsync(["reject", id, "--by", "grace", .. connection]);
        code.ShouldBe(1);
        error.ShouldContain("ada");
        (await RunAsync(["show", id, "--url", host.Client.Http.BaseAddress!.ToString(), "--key", "wrong"])).Code.ShouldBe(3);
    }

    [Fact]
    public async Task Render_ShowsQuestionsStepsAndADiagram()
    {
        var (code, page, _) = await ProgramRun.StartAsync("render", "hanged-gpu");

        code.ShouldBe(0);
        page.ShouldContain("# Hung GPU");
        page.ShouldContain("```mermaid");
        page.ShouldContain("Do requests wait while no token is generated?");
        page.ShouldContain("mitigation0[\"recycle: kubernetes.recyclePod\"]");
        page.ShouldContain("After 10m asks platform-lead as well.");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static async Task<(int Code, string Error)> RunAsync(params string[] arguments)
    {
        var (code, _, error) = await ProgramRun.RunAsync(arguments);
        return (code, error);
    }
}
