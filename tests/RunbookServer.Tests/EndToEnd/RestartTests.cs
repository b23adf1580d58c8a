using System.Net;
using Runbooks.Model.Storage;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

public sealed class RestartTests
{
    [Fact]
    public async Task RestartedWhileAPersonThinks_EverythingIsKept()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.SettleAsync();
        var before = (await host.Client.GetAsync($"api/incidents/{id}")).ToJsonString();

        await host.RestartAsync();
        (await host.Client.GetAsync($"api/incidents/{id}")).ToJsonString().ShouldBe(before);
        (await host.Client.StuckAsync("llm-b-0"))["outcome"]!.ToString().ShouldBe("folded");
        (await host.Client.DecideAsync(id, "approve")).Status.ShouldBe(HttpStatusCode.OK);

        await host.Client.WaitForAsync(id, "resolved");
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(1);
        await host.RestartAsync();
        (await host.Client.GetAsync($"api/incidents/{id}"))["state"]!.ToString().ShouldBe("resolved");
    }

    [Fact]
    public async Task TimeRanOutWhileTheHostWasDown_TheLeadIsAskedFirstAndThenItExpires()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");

        await host.RestartAsync(whileDown: () => host.Time.Advance(TimeSpan.FromHours(1)));
        await host.PassAsync(TimeSpan.FromMinutes(1));

        var asked = await host.Client.WaitForAsync(id, "awaitingApproval");
        asked["gate"]!["approvers"]!.ToJsonString().ShouldBe("""["oncall","platform-lead"]""");
        await host.PassAsync(TimeSpan.FromMinutes(15));

        await host.Client.WaitForAsync(id, "expired");
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(0);
    }

    /// <summary>The host watches by itself, every minute.</summary>
    [Fact]
    public async Task KilledBetweenTheRecordAndTheStart_TheIncidentIsStartedByTheWatchdog()
    {
        await using var host = await RunningHost.StartAsync();
        var lost = Some.Incident() with { OpenedAt = host.Time.GetUtcNow() - TimeSpan.FromHours(1) };
        await host.Get<IIncidentStore>().OpenAsync(lost, Some.Runbook(), _ => null, TestContext.Current.CancellationToken);

        await host.PassAsync(TimeSpan.FromMinutes(1));

        await host.Client.WaitForAsync(lost.Id, "final");
    }

    [Fact]
    public async Task RunbookChangedMeanwhile_TheOpenIncidentKeepsItsVersion()
    {
        using var runbooks = new RunbookCopy(text => text);
        await using var host = await RunningHost.StartAsync(runbooks.Path);
        var first = await host.Client.WaitForAsync((await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString(), "awaitingApproval");

        runbooks.Write(RunbookCopy.Shipped.Replace("Recycle pod {{ labels.pod }}?", "Really recycle {{ labels.pod }}?", StringComparison.Ordinal));
        await host.RestartAsync();
        var second = await host.Client.WaitForAsync((await host.Client.StuckAsync("llm-b-2"))["id"]!.ToString(), "awaitingApproval");

        second["gate"]!["question"]!.ToString().ShouldBe("Really recycle llm-b-2?");
        second["runbookVersion"]!.ToString().ShouldNotBe(first["runbookVersion"]!.ToString());
        (await host.Client.DecideAsync(first["id"]!.ToString(), "approve")).Status.ShouldBe(HttpStatusCode.OK);
        (await host.Client.WaitForAsync(first["id"]!.ToString(), "resolved"))["runbookVersion"]!.ToString().ShouldBe(first["runbookVersion"]!.ToString());
    }

    /// <summary>As every other process on the same store has it.</summary>
    [Fact]
    public async Task FileBrokenBeforeTheStart_GoesOnWithItsLastGoodVersion()
    {
        using var runbooks = new RunbookCopy(text => text);
        await using var host = await RunningHost.StartAsync(runbooks.Path);
        await host.Get<Runbooks.Watchdog.IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken);

        await host.RestartAsync(whileDown: () => runbooks.Write("id: hanged-gpu\ntrigger: nonsense\n"));
        var asked = await host.Client.WaitForAsync((await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString(), "awaitingApproval");

        asked["gate"]!["question"]!.ToString().ShouldBe("Recycle pod llm-b-0?");
    }

    [Fact]
    public async Task FileBrokenWhileRunning_TheGoodVersionStays()
    {
        using var runbooks = new RunbookCopy(text => text);
        await using var host = await RunningHost.StartAsync(runbooks.Path);

        runbooks.Write("id: hanged-gpu\ntrigger: nonsense\n");
        await host.ReloadRunbooksAsync();
        var asked = await host.Client.WaitForAsync((await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString(), "awaitingApproval");

        asked["gate"]!["question"]!.ToString().ShouldBe("Recycle pod llm-b-0?");
    }
}
