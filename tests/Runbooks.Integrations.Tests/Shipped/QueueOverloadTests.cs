using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class QueueOverloadTests : InSandboxWorld
{
    private const string Sample = "queue-overload.azure-monitor";

    private async Task<int> ReplicasAsync() =>
        (await _world.GetAsync("/kubernetes/b/apis/apps/v1/namespaces/chat/deployments/chat-vllm")).GetProperty("spec").GetProperty("replicas").GetInt32();

    [Theory]
    [InlineData(Sample)]
    [InlineData("queue-overload.alertmanager")]
    public async Task Rush_GetsMoreServersUntilItIsOver(string sample)
    {
        var asked = await _world.FireAsync(sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval, asked.Reason);
        asked.Findings.ToDictionary(finding => finding.Name, finding => finding.Verdict).ShouldBe(new Dictionary<string, Verdict>
        {
            ["queue"] = Verdict.Failing, ["engines"] = Verdict.Passing, ["first-token"] = Verdict.Failing, ["demand"] = Verdict.Failing, ["servers"] = Verdict.Passing,
        }, ignoreOrder: true);
        asked.OpenGate!.Plan.Steps[0].PlannedEffect.ShouldBe("Scale deployment chat/chat-vllm on cluster b from 2 to 4 pods (at most 6), and wait until they are ready.");

        (await _world.ApproveAsync(asked.Id)).State.ShouldBe(IncidentState.Verifying);
        (await ReplicasAsync()).ShouldBe(4);
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.Holding);
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(8))).State.ShouldBe(IncidentState.Holding, "the rush lasts");

        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(30));

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps[0].Status.ShouldBe(StepStatus.Undone);
        (await ReplicasAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task NobodyAnswers_ItProceedsBecauseItCanBeTakenBack()
    {
        var asked = await _world.FireAsync(Sample);

        await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(9));
        (await ReplicasAsync()).ShouldBe(2);
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Holding);

        (await ReplicasAsync()).ShouldBe(4);
    }

    /// <summary>Requests pile up behind it, and more servers do not help there.</summary>
    [Fact]
    public async Task ServerHangsAndNobodyAnswers_NoServersAreAdded()
    {
        await _world.SendAsync(HttpMethod.Post, "/_sandbox/pods/chat/chat-vllm-5c47b8d6f9-x2x4v/hang", new { });
        var asked = await _world.FireAsync(Sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval, asked.Reason);
        asked.Findings.Where(finding => finding.Verdict == Verdict.Failing).Select(finding => finding.Name).ShouldBe(["queue", "engines", "first-token", "demand"], ignoreOrder: true);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(11))).State.ShouldBe(IncidentState.Expired);

        (await ReplicasAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task SomebodyScaledItAfterTheQuestion_TheNewNumbersAreAskedAbout()
    {
        var asked = await _world.FireAsync(Sample);
        await _world.ScaleAsync("chat", "chat-vllm", 3);

        var again = await _world.ApproveAsync(asked.Id);

        again.State.ShouldBe(IncidentState.AwaitingApproval, again.Reason);
        again.OpenGate!.Plan.Steps[0].PlannedEffect.ShouldContain("from 3 to 5 pods");
        (await ReplicasAsync()).ShouldBe(3);
    }

    [Fact]
    public async Task MaximumIsReached_ItSaysSoAndAPersonIsPaged()
    {
        await _world.ScaleAsync("chat", "chat-vllm", 5);
        await _world.SendAsync(HttpMethod.Post, "/exporters/_gauges", new { metric = "vllm:num_requests_waiting", value = 60 });

        var ended = await _world.FireAsync(Sample);

        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        ended.Reason.ShouldNotBeNull().ShouldContain("That would be 7 pods, and at most 6 are allowed here.");
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("/scale", "403", 1, IncidentState.Failed, "It needs Azure Kubernetes Service RBAC Writer", 2)]
    [InlineData("/scale", "500", 9, IncidentState.Failed, "failed 3 times; last: Cluster 'b' answered 500", 2)]
    [InlineData("/scale", "500", 1, IncidentState.Holding, "", 4)]
    [InlineData("/scale", "unreachable", 1, IncidentState.Holding, "", 4)]
    public async Task ClusterThatFails_IsTriedAgainOrFailsInWords(string on, string fault, int count, IncidentState state, string words, int replicas)
    {
        var asked = await _world.FireAsync(Sample);
        await _world.FaultAsync("kubernetes", fault, on, count);

        await _world.ApproveAsync(asked.Id);
        var after = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(2));

        after.State.ShouldBe(state, after.Reason);
        (after.Reason ?? "").ShouldContain(words);
        (await ReplicasAsync()).ShouldBe(replicas);
    }

    [Fact]
    public async Task RushThatDoesNotEnd_PagesAPersonAndKeepsTheServers()
    {
        var id = await HoldAsync();
        await _world.SendAsync(HttpMethod.Post, "/exporters/_gauges", new { metric = "vllm:num_requests_running", value = 30 });

        var holding = await _world.AdvanceAsync(id, TimeSpan.FromHours(9));

        holding.State.ShouldBe(IncidentState.Holding, holding.Reason);
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
        (await ReplicasAsync()).ShouldBe(4);
    }

    /// <summary>Servers that are too busy to be scraped are missing in the sum of all requests.</summary>
    [Fact]
    public async Task LeaseLasts_WhileTheLineIsLongThoughFewRequestsAreCounted()
    {
        var id = await HoldAsync();
        await _world.SendAsync(HttpMethod.Post, "/exporters/_gauges", new { metric = "vllm:num_requests_running", value = 1 });
        await _world.SendAsync(HttpMethod.Post, "/exporters/_gauges", new { metric = "vllm:num_requests_waiting", pod = "chat-vllm-5c47b8d6f9-x2x4v", value = 30 });

        (await _world.AdvanceAsync(id, TimeSpan.FromHours(1))).State.ShouldBe(IncidentState.Holding);

        (await ReplicasAsync()).ShouldBe(4);
    }

    [Fact]
    public async Task NoNodeIsFree_ItIsScaledBackAndAPersonIsPaged()
    {
        foreach (var node in new[] { 0, 1, 2 })
        {
            await _world.CordonAsync($"aks-gpu-24815391-vmss00000{node}");
        }

        var asked = await _world.FireAsync(Sample);

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromHours(2));

        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        ended.Reason.ShouldNotBeNull().ShouldContain("not done within 7m: deployment chat/chat-vllm was scaled and has 2 of 4 pods ready");
        (await ReplicasAsync()).ShouldBe(2);
    }

    private async Task<string> HoldAsync()
    {
        var asked = await _world.FireAsync(Sample);
        await _world.ApproveAsync(asked.Id);
        await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(1));
        return asked.Id;
    }
}
