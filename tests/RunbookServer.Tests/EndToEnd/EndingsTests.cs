using System.Net;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The ends at which nothing is done.</summary>
public sealed class EndingsTests
{
    [Theory]
    [InlineData("reject", "rejected")]
    [InlineData("takeOver", "takenOver")]
    public async Task DecidedOtherwise_NothingIsDone(string decision, string state)
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host);

        (await host.Client.DecideAsync(id, decision, "ada", "seen it before")).Status.ShouldBe(HttpStatusCode.OK);

        await ShouldEndUntouchedAsync(host, id, state);
    }

    [Fact]
    public async Task NobodyAnswers_RemindsEscalatesAndExpires()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host);

        await host.PassAsync(TimeSpan.FromMinutes(12));
        var asked = await host.Client.GetAsync($"api/incidents/{id}");
        asked["state"]!.ToString().ShouldBe("awaitingApproval");
        asked["gate"]!["approvers"]!.AsArray().Select(each => each!.ToString()).ShouldContain("platform-lead");
        await host.PassAsync(TimeSpan.FromMinutes(9));

        await ShouldEndUntouchedAsync(host, id, "expired");
        var (status, answer) = await host.Client.DecideAsync(id, "approve");
        status.ShouldBe(HttpStatusCode.Conflict);
        answer!["decidedBy"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task ResolvedAlertArrivesFirstAndTheChecksAgree_SelfRecovered()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host);
        await SandboxView.MendAsync(host.Range, "llm-b-0");
        await host.PassAsync(TimeSpan.FromMinutes(3));

        (await host.Client.StuckAsync("llm-b-0", "resolved"))["outcome"]!.ToString().ShouldBe("resolved");

        (await host.Client.WaitForAsync(id, "selfRecovered"))["steps"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task ResolvedAlertArrivesFirstAndTheChecksStillFail_TheQuestionStands()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host);

        (await host.Client.StuckAsync("llm-b-0", "resolved"))["outcome"]!.ToString().ShouldBe("resolved");
        await host.PassAsync(TimeSpan.FromMinutes(2));

        var asked = await host.Client.GetAsync($"api/incidents/{id}");
        asked["state"]!.ToString().ShouldBe("awaitingApproval");
        asked["news"]!.AsArray().ShouldHaveSingleItem()!["text"]!.ToString().ShouldStartWith("The sender says it is over; the checks still fail:");
    }

    [Fact]
    public async Task ResolvedAlertArrivesAfterTheFix_IsKeptAsEvidence()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host);
        await host.Client.DecideAsync(id, "approve");
        await host.Client.WaitForAsync(id, "resolved");

        (await host.Client.StuckAsync("llm-b-0", "resolved"))["outcome"]!.ToString().ShouldBe("resolved");

        var told = await host.Client.GetAsync($"api/incidents/{id}");
        told["alertResolvedAt"].ShouldNotBeNull();
        told["state"]!.ToString().ShouldBe("resolved");
    }

    [Fact]
    public async Task Cancelled_NothingIsDoneAndTheReasonIsKept()
    {
        await using var host = await RunningHost.StartAsync();
        var id = await AskedAsync(host);

        (await host.Client.PostAsync($"api/incidents/{id}/cancel", """{"by":"ada","reason":"a drill"}""")).Status.ShouldBe(HttpStatusCode.OK);

        await ShouldEndUntouchedAsync(host, id, "cancelled");
        (await host.Client.GetAsync($"api/incidents/{id}"))["reason"]!.ToString().ShouldContain("a drill");
    }

    [Fact]
    public async Task HealthyPod_NobodyIsAsked()
    {
        await using var host = await RunningHost.StartAsync();

        var id = (await host.Client.StuckAsync("llm-b-1"))["id"]!.ToString();

        await ShouldEndUntouchedAsync(host, id, "notNeeded");
    }

    private static async Task<string> AskedAsync(RunningHost host)
    {
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        return id;
    }

    private static async Task ShouldEndUntouchedAsync(RunningHost host, string id, string state)
    {
        var ended = await host.Client.WaitForAsync(id, state);
        ended["steps"]!.AsArray().ShouldBeEmpty();
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(0);
    }
}
