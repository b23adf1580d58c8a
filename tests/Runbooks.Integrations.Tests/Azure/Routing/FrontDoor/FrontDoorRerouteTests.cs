using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.Routing.FrontDoor;

public sealed class FrontDoorRerouteTests : OnTheSandbox
{
    private const string Reroute = "frontDoor.reroute";
    private static readonly string s_profile = Resource("Microsoft.Cdn/profiles", "assist");
    private static readonly object s_away = new { profile = s_profile, originGroup = "clusters", from = "cluster-b", to = "cluster-a" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddFrontDoor();

    private async Task<string?> StateAsync(string origin) =>
        (await ArmAsync($"{s_profile}/originGroups/clusters/origins/{origin}")).GetProperty("properties").GetProperty("enabledState").GetString();

    [Fact]
    public async Task Origin_IsDisabledOnceTheOperationHasEnded()
    {
        var preparation = await PrepareAsync(Reroute, s_away);

        await ApplyAsync(Reroute, s_away, preparation);

        preparation.Refusal.ShouldBeNull();
        (await StateAsync("cluster-b")).ShouldBe("Disabled");
        (await RequestsAsync()).ShouldContain(request => request.Contains("/Microsoft.Cdn/operationresults/"));
        (await SentAsync())[^1].Body.ShouldBeGolden("disable");
        await UndoAsync(Reroute, preparation);
        (await StateAsync("cluster-b")).ShouldBe("Enabled");
    }

    /// <summary>How healthy an origin is stands in its metrics, which a role on the profile does not open by itself.</summary>
    [Fact]
    public async Task MetricsThatMayNotBeRead_AreNamedBeforeAnybodyIsAsked()
    {
        await FaultAsync("arm", "denied", on: "Microsoft.Insights/metrics/read");

        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Reroute, s_away))).Message.ShouldContain("microsoft.insights/metrics/read");
    }

    private async Task SetAsync(string below, object properties)
    {
        await ChangeAsync(HttpMethod.Patch, $"{s_profile}/originGroups/clusters{below}", new { properties });
    }

    [Fact]
    public async Task Weight_IsLoweredAndWhereItCountsIsSaid()
    {
        var with = new { profile = s_profile, originGroup = "clusters", from = "cluster-b", weight = 50 };
        var preparation = await PrepareAsync(Reroute, with);

        (await ApplyAsync(Reroute, with, preparation)).Result.ShouldBe("Sent a part of the traffic of cluster-b to the others: cluster-b is now enabled, weight 50. Front Door takes some minutes, at times twenty, until a change is in force everywhere.");

        preparation.PlannedEffect.ShouldBe(
            "Send a part of the traffic of cluster-b to the others: give cluster-b of Front Door's origin group clusters the weight 50 (now enabled, weight 500). Weights count only among origins whose latency is within 50 ms of the fastest one's. Front Door takes some minutes, at times twenty, until a change is in force everywhere.");
    }

    [Fact]
    public async Task WeightWhereTheFastestGetsEverything_IsRefused()
    {
        await SetAsync("", new { loadBalancingSettings = new { additionalLatencyInMilliseconds = 0 } });

        (await PrepareAsync(Reroute, new { profile = s_profile, originGroup = "clusters", from = "cluster-b", weight = 50 })).Refusal.ShouldBe(
            "Front Door's origin group clusters has the latency sensitivity 0 ms, so everything goes to the fastest origin, whatever its weight. Leave 'weight' out to disable 'cluster-b', or give the group a latency sensitivity.");
        (await PrepareAsync(Reroute, s_away)).Refusal.ShouldBeNull();
    }

    [Theory]
    [InlineData(null, "no other enabled one has the priority 1 of 'cluster-b'")]
    [InlineData("cluster-a", "'cluster-a' does not have the priority 1 of 'cluster-b'")]
    public async Task WeightOfTheOnlyOriginOfItsPriority_IsRefused(string? to, string why)
    {
        await SetAsync("/origins/cluster-a", new { priority = 2 });

        (await PrepareAsync(Reroute, new { profile = s_profile, originGroup = "clusters", from = "cluster-b", to, weight = 50 })).Refusal.ShouldBe(
            $"Front Door goes by weight only among origins of one priority, and {why}. Leave 'weight' out to disable 'cluster-b', or give them one priority.");
        (await PrepareAsync(Reroute, s_away)).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task OperationThatFails_IsNotTakenForSuccess()
    {
        var preparation = await PrepareAsync(Reroute, s_away);
        await FaultAsync("arm", "lroFails");

        (await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Reroute, s_away, preparation))).Message.ShouldContain("ended as Failed");
        (await StateAsync("cluster-b")).ShouldBe("Disabled", "it shows what was asked for");

        (await ApplyAsync(Reroute, s_away, preparation, interrupted: preparation)).Result.ShouldStartWith("Sent the traffic of cluster-b to ", Case.Sensitive, "it is made again");
        (await ApplyAsync(Reroute, s_away, preparation, interrupted: preparation)).Result.ShouldContain("by an earlier attempt or by somebody else");

        await FaultAsync("arm", "lroFails");
        await Should.ThrowAsync<AzureRequestException>(() => UndoAsync(Reroute, preparation));
        (await UndoAsync(Reroute, preparation)).Result.ShouldStartWith("Gave cluster-b its traffic back");
        (await UndoAsync(Reroute, preparation)).Result.ShouldContain("as it was before");
    }

    /// <summary>Probes off is a usual choice: Front Door takes every enabled origin then, and measures none.</summary>
    [Fact]
    public async Task GroupWithoutProbes_IsReroutedAndSaysSo()
    {
        await SetAsync("", new { healthProbeSettings = (object?)null });
        await SetAsync("/origins/cluster-a", new { hostName = "elsewhere.example" });

        var preparation = await PrepareAsync(Reroute, s_away);
        preparation.Refusal.ShouldBeNull();
        preparation.PlannedEffect.ShouldContain(" Whether cluster-a is healthy is not probed (the origin group has no health probes).");
        (await ApplyAsync(Reroute, s_away, preparation)).Result.ShouldStartWith("Sent the traffic of cluster-b to cluster-a");

        (await PrepareAsync(Reroute, new { profile = s_profile, originGroup = "clusters", from = "cluster-a" })).Refusal.ShouldNotBeNull().ShouldContain("last one that is enabled");
    }

    [Fact]
    public async Task OriginWhoseHealthNobodyKnows_IsNotTrustedWithTraffic()
    {
        var with = new { profile = s_profile, originGroup = "clusters", from = "cluster-a", to = "cluster-b" };
        (await PrepareAsync(Reroute, with)).Refusal.ShouldBeNull();
        await ChangeAsync(HttpMethod.Patch, $"{s_profile}/originGroups/clusters/origins/cluster-b", new { properties = new { hostName = "elsewhere.example" } });

        (await PrepareAsync(Reroute, with)).Refusal.ShouldNotBeNull().ShouldContain("'cluster-b' is of unknown health");
    }
}
