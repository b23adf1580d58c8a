using System.Text.Json.Nodes;
using Runbooks.Catalog;
using Runbooks.Catalog.Steps;
using Runbooks.Testing;
using RunbookServer.Commands;
using RunbookServer.Hosting;

namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook export</c>: an incident that happened becomes a test, and the test passes as it is.</summary>
public sealed class ExportTests : IDisposable
{
    /// <summary>Switches a flag, which can be undone, and trusts nobody: its check never passes.</summary>
    private const string Hopeless = """
        id: hopeless
        title: Hopeless
        trigger: [{ alert: InferenceRequestsStuck }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody., data: None. }
        diagnosis:
          broken: { ask: Is it broken?, check: always, with: { finding: failing } }
        mitigation:
          approval: { ask: "Switch on {{ target }}?", from: [oncall] }
          steps:
            switch: { do: appConfiguration.setFlag, with: { flag: local-model-only, enabled: true, create: true } }
          verify: { checks: [broken], every: 10s, within: 1m }
        """;

    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Theory]
    [InlineData("approve", "resolved")]
    [InlineData("reject", "rejected")]
    [InlineData("takeOver", "takenOver")]
    public async Task Decided_ExportedTestPasses(string decision, string state)
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host, "llm-b-0");
        await host.PassAsync(TimeSpan.FromSeconds(192));
        await host.Client.DecideAsync(id, decision, "ada", "as \"usual\": yes");
        await host.Client.WaitForAsync(id, state);

        var test = await ShouldPassAsync(host, id, RunbookCopy.Shipped);

        test.ShouldContain($"state: {state}");
        test.ShouldContain($"{{after: 3m12s");
        test.ShouldContain("as \\\"usual\\\": yes");
    }

    [Fact]
    public async Task NobodyAnswered_ExportedTestPasses()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host, "llm-b-0");
        await host.PassAsync(TimeSpan.FromMinutes(21));
        await host.Client.WaitForAsync(id, "expired");

        (await ShouldPassAsync(host, id, RunbookCopy.Shipped)).ShouldNotContain("events:");
    }

    [Fact]
    public async Task SelfRecovered_ExportedTestPasses()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host, "llm-b-0");
        await SandboxView.MendAsync(host.Range, "llm-b-0");
        await host.PassAsync(TimeSpan.FromMinutes(4));
        await host.Client.StuckAsync("llm-b-0", "resolved");
        await host.Client.WaitForAsync(id, "selfRecovered");

        (await ShouldPassAsync(host, id, RunbookCopy.Shipped)).ShouldContain("resolved: true");
    }

    [Fact]
    public async Task NotNeeded_ExportedTestPasses()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-1"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "notNeeded");

        (await ShouldPassAsync(host, id, RunbookCopy.Shipped)).ShouldContain("steps: {}");
    }

    [Fact]
    public async Task Cancelled_ExportedTestPasses()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host, "llm-b-0");
        await host.Client.PostAsync($"api/incidents/{id}/cancel", """{"by":"ada","reason":"a drill"}""");
        await host.Client.WaitForAsync(id, "cancelled");

        (await ShouldPassAsync(host, id, RunbookCopy.Shipped)).ShouldContain("cancel: ada");
    }

    [Fact]
    public async Task StartedByHand_ExportedTestPasses()
    {
        await using var host = await RunningHost.StartAsync();
        var (_, answer) = await host.Client.PostAsync("api/runbooks/hanged-gpu/incidents", """{"labels":{"cluster":"b","namespace":"inference","pod":"llm-b-7"},"by":"ada"}""");
        var id = answer!["incidents"]![0]!["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.Client.DecideAsync(id, "approve", "grace");
        await host.Client.WaitForAsync(id, "resolved");

        (await ShouldPassAsync(host, id, RunbookCopy.Shipped)).ShouldContain("by: ada");
    }

    [Fact]
    public async Task VerificationFailed_ExportedTestUndoesTheSameSteps()
    {
        using var runbooks = new RunbookCopy(_ => Hopeless);
        await using var host = await RunningHost.StartAsync(runbooks.Path);
        var id = await AskedAsync(host, "llm-b-0");
        await host.Client.DecideAsync(id, "approve");
        await host.PassAsync(TimeSpan.FromMinutes(3));
        await host.Client.WaitForAsync(id, "failed");

        var test = await ShouldPassAsync(host, id, Hopeless);

        test.ShouldContain("switch: undone");
        test.ShouldContain("verdict: failing, times: 7");
    }

    [Fact]
    public async Task LabelThatLooksLikeASecret_StaysHidden()
    {
        await using var host = await RunningHost.StartAsync();
        var body = JsonNode.Parse(SomeAlert.Stuck("llm-b-1"))!;
        body["alerts"]![0]!["labels"]!["password"] = "hunter22";
        body["alerts"]![0]!["annotations"] = new JsonObject { ["call"] = "https://x.example/?code=topsecretcode" };
        var id = (await host.Client.AlertAsync("alertmanager", body.ToJsonString()))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "notNeeded");

        var test = await ShouldPassAsync(host, id, RunbookCopy.Shipped);

        test.ShouldNotContain("hunter22");
        test.ShouldNotContain("topsecretcode");
    }

    [Fact]
    public async Task ThroughTheProgram_PrintsATestThatTheProgramPasses()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host, "llm-b-0");
        var (early, _, unfinished) = await ProgramRun.RunAsync(["export", id, .. Connection(host)]);
        early.ShouldBe(1);
        unfinished.ShouldContain("awaitingApproval");
        await host.Client.DecideAsync(id, "approve");
        await host.Client.WaitForAsync(id, "resolved");
        using var runbooks = new RunbookCopy(text => text);

        var (code, test, _) = await ProgramRun.RunAsync(["export", id, .. Connection(host)]);
        code.ShouldBe(0);
        var folder = Directory.CreateDirectory(Path.Combine(runbooks.Path, "tests", "hanged-gpu", "that-night")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "test.yaml"), test, TestContext.Current.CancellationToken);
        var (passed, output, _) = await ProgramRun.RunAsync("test", "--runbooks", runbooks.Path);

        passed.ShouldBe(0, output + test);
        output.ShouldContain("passed  hanged-gpu/that-night");
        (await ProgramRun.RunAsync(["export", "nothing", .. Connection(host)])).Code.ShouldBe(1);
    }

    [Fact]
    public async Task FileIsThere_IsLeftAsItIs()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-1"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "notNeeded");
        var file = Path.Combine(_home, "test.yaml");
        await File.WriteAllTextAsync(file, "mine", TestContext.Current.CancellationToken);

        (await CommandLine.RunAsync(["export", id, "--out", file, .. Connection(host)])).ShouldBe(2);

        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe("mine");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static string[] Connection(RunningHost host) => ["--url", host.Client.Http.BaseAddress!.ToString(), "--data", host.DataFolder];

    private static async Task<string> AskedAsync(RunningHost host, string pod)
    {
        var id = (await host.Client.StuckAsync(pod))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.SettleAsync();
        return id;
    }

    /// <summary>Exports over HTTP, and runs what was exported against the runbook.</summary>
    private async Task<string> ShouldPassAsync(RunningHost host, string id, string runbook)
    {
        await using var services = OfflineServices.Build();
        var catalog = (RunbookCatalog)services.GetService(typeof(RunbookCatalog))!;
        catalog.Load([new RunbookFile("runbook.yaml", runbook)]).Errors.ShouldBeEmpty();
        var folder = Path.Combine(_home, "tests", catalog.Current[0].Id, "that-night");
        var file = Path.Combine(folder, TestCase.FileName);

        (await CommandLine.RunAsync(["export", id, "--out", file, .. Connection(host)])).ShouldBe(0);

        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        (await TestRunner.RunAsync(TestCase.Read(folder).Case!, catalog.Current[0], (StepCatalog)services.GetService(typeof(StepCatalog))!)).ShouldBeEmpty(text);
        return text;
    }
}
