using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using Runbooks.Testing;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

public sealed partial class SimulateTests
{
    [Theory]
    [InlineData("hanged-gpu", "found: 16 run, 48 wait", "would: Recycle pod inference/llm-b-0 on cluster b", "Stops at the question.")]
    [InlineData("disk-full", "found: 94 % in use", "would: Delete files older than 3 days below /var/tmp", "Stops here: from here on it acts without asking.")]
    public async Task Live_AsksTheRealChecksAndStopsBeforeAnythingActs(string runbook, string found, string would, string end)
    {
        await using var sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0 }, TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = sandbox.BaseAddress };
        string[] world = runbook == "disk-full" ? ["--sandbox", sandbox.BaseAddress.ToString()] : ["--config", Write("settings.json", JsonSerializer.Serialize(SandboxSettings.For(sandbox.BaseAddress)))];
        var before = await PodsAsync(http);

        var (code, story, error) = await ProgramRun.RunAsync(["simulate", runbook, "--alert", runbook, "--live", .. world]);

        code.ShouldBe(0, story + error);
        story.ShouldContain(found);
        story.ShouldContain(would);
        story.ShouldContain(end);
        (await PodsAsync(http)).ShouldBe(before);
    }

    /// <summary>The usual port may be that of somebody else's practice.</summary>
    [Fact]
    public async Task Live_AsksTheSandboxOfTheHostOnTheDataFolder()
    {
        var data = Directory.CreateTempSubdirectory("runbooks-");
        await using (var world = await SandboxWorld.EnterAsync(new() { DataDirectory = data.FullName }, TestContext.Current.CancellationToken))
        {
            using var http = new HttpClient { BaseAddress = world.Address };

            var (code, story, error) = await ProgramRun.RunAsync("simulate", "hanged-gpu", "--alert", "hanged-gpu", "--live", "--data", data.FullName);

            code.ShouldBe(0, story + error);
            (await http.GetStringAsync("/_sandbox/state", TestContext.Current.CancellationToken)).ShouldContain("GET /prometheus");
        }

        data.Delete(recursive: true);
    }

    [Fact]
    public void SandboxThatIsNotWhereItUsuallyIs_SaysWhy() =>
        new[] { 7072, 37099 }.Select(port => new SandboxWorld(new Uri($"http://127.0.0.1:{port}/"), null).Where)
            .ShouldBe(["http://127.0.0.1:7072/", "http://127.0.0.1:37099/ (7072 is taken)"]);

    /// <summary>What tells of things by the real clock is as old for the simulation, whose clock stands still: one look is not the end, as in production.</summary>
    [Fact]
    public async Task Live_BelievesNoSingleHealthyLook()
    {
        await using var offline = OfflineServices.Build();
        var check = new LateCheck();
        var shipped = offline.GetRequiredService<StepCatalog>();
        var steps = new StepCatalog([.. shipped.Checks, check], shipped.Actions);
        var runbook = new RunbookReader(steps).Read("late.yaml", """
            id: late
            title: Late
            trigger: [{ alert: HighLatency_Cluster_B }]
            target: "{{ labels.pod }}"
            impact: { severity: low, users: Nobody., data: None. }
            diagnosis:
              slow: { ask: Is it slow?, check: test.late }
            mitigation:
              when: { any: [slow] }
              approval: { ask: "Do it?", from: [oncall] }
              steps: { tell: { do: note, with: { text: Hello. } } }
            """).Runbook!;

        var played = await Simulator.PlayAsync(runbook, [Some.Alert()], new Assumptions { IsLive = true, By = "ada" }, steps);

        // It stops after this look, and does not take it for the end.
        (played.Incident.State, played.Incident.IsFoundHealthy, check.Asked).ShouldBe((IncidentState.Diagnosing, true, 1));
    }

    [Fact]
    public async Task Live_TakesNoAssumptions()
    {
        var settings = Write("settings.json", "{}");

        var (code, _, error) = await ProgramRun.RunAsync("simulate", "hanged-gpu", "--alert", "hanged-gpu", "--live", "--config", settings, "--finding", "zombie=passing");

        code.ShouldBe(2);
        error.ShouldContain("--finding assumes something, and --live asks the real world.");
    }

    /// <summary>Two minutes of health would be assumed, and a check that costs money asked nine times to say so.</summary>
    [Fact]
    public async Task LiveAndAllIsWell_IsAskedOnceAndSaysOfWhenThatIs()
    {
        await using var sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0 }, TestContext.Current.CancellationToken);
        var alert = Write("well.azure-monitor.json", SomeAlert.Sample("hanged-gpu").Replace("llm-b-0", "llm-b-1", StringComparison.Ordinal));
        var before = DateTimeOffset.UtcNow;

        var (code, story, error) = await ProgramRun.RunAsync("simulate", "hanged-gpu", "--alert", alert, "--live", "--sandbox", sandbox.BaseAddress.ToString());

        code.ShouldBe(0, story + error);
        story.ShouldContain("Stops after one look: nothing calls for the mitigation now");
        story.Split("checks answer").Length.ShouldBe(2);
        story.ShouldNotContain("closed:");
        (story.Contains($"{before.AddMinutes(2):HH:mm}:", StringComparison.Ordinal) || story.Contains($"{before.AddMinutes(3):HH:mm}:", StringComparison.Ordinal)).ShouldBeTrue(story);
    }
}
