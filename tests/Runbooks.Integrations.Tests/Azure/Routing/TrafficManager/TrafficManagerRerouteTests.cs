using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;
using TestKit;

namespace Runbooks.Integrations.Tests.Azure.Routing.TrafficManager;

public sealed class TrafficManagerRerouteTests : OnTheSandbox
{
    private const string Reroute = "trafficManager.reroute";
    private static readonly string s_profile = Resource("Microsoft.Network/trafficManagerProfiles", "assist");
    private static readonly object s_away = new { profile = s_profile, from = "cluster-b", to = "cluster-a" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddTrafficManager();

    private Task EndpointAsync(string name, object properties) => ChangeAsync(HttpMethod.Patch, $"{s_profile}/azureEndpoints/{name}", new { properties });

    private async Task<string> EndpointAsync(string name)
    {
        var properties = (await ArmAsync($"{s_profile}/azureEndpoints/{name}")).GetProperty("properties");
        return $"{properties.GetProperty("endpointStatus")} {properties.GetProperty("weight")}";
    }

    [Fact]
    public async Task Endpoint_IsDisabledAndComesBackAsItWas()
    {
        await EndpointAsync("cluster-b", new { weight = 70 });
        var preparation = await PrepareAsync(Reroute, s_away);

        var result = await ApplyAsync(Reroute, s_away, preparation);

        preparation.Undo.ShouldBe("Set cluster-b back to: enabled, weight 70.");
        result.Result.ShouldBe("Sent the traffic of cluster-b to cluster-a: cluster-b is now disabled, weight 70. Users follow as their DNS answers run out, within 1m as a rule; open connections stay.");
        (await EndpointAsync("cluster-b")).ShouldBe("Disabled 70");
        var (request, body) = (await SentAsync())[^1];
        request.ShouldBe($"PATCH /arm{s_profile}/azureEndpoints/cluster-b?api-version=2022-04-01");
        body.ShouldBeGolden("disable");

        (await UndoAsync(Reroute, preparation)).Result.ShouldBe("Gave cluster-b its traffic back: it is as before, enabled, weight 70. Users follow as their DNS answers run out, within 1m as a rule; open connections stay.");
        (await UndoAsync(Reroute, preparation)).Result.ShouldContain("as it was before");
        (await EndpointAsync("cluster-b")).ShouldBe("Enabled 70");
    }

    [Fact]
    public async Task Weight_IsLoweredWhereThatIsAsked()
    {
        var with = new { profile = s_profile, from = "cluster-b", weight = 5 };

        var preparation = await PrepareAsync(Reroute, with);
        var result = await ApplyAsync(Reroute, with, preparation);

        preparation.PlannedEffect.ShouldBe("Send a part of the traffic of cluster-b to the others: give cluster-b of Traffic Manager assist the weight 5 (now enabled, weight 50). Users follow as their DNS answers run out, within 1m as a rule; open connections stay.");
        result.Result.ShouldBe("Sent a part of the traffic of cluster-b to the others: cluster-b is now enabled, weight 5. Users follow as their DNS answers run out, within 1m as a rule; open connections stay.");
        (await EndpointAsync("cluster-b")).ShouldBe("Enabled 5");
        (await SentAsync())[^1].Body.ShouldBeGolden("weight");
    }

    [Theory]
    [InlineData(3600, "Users follow as their DNS answers run out, within 1h as a rule; open connections stay.")]
    [InlineData(0, "Users follow as their DNS answers run out; open connections stay.")]
    [InlineData("soon", "Users follow as their DNS answers run out; open connections stay.")]
    public async Task Plan_SaysWhenUsersFollow(object ttl, string words)
    {
        await ChangeAsync(HttpMethod.Patch, s_profile, new { properties = new { dnsConfig = new { ttl } } });

        (await PrepareAsync(Reroute, s_away)).PlannedEffect.ShouldEndWith($" {words}");
    }

    /// <summary>Each further question is one more that may fail before the traffic is given back.</summary>
    [Fact]
    public async Task Undo_LooksOnceBeforeItWritesAndOnceAfter()
    {
        var preparation = await PrepareAsync(Reroute, s_away);
        await ApplyAsync(Reroute, s_away, preparation);
        var before = (await RequestsAsync()).Count;

        await UndoAsync(Reroute, preparation);

        (await RequestsAsync()).Skip(before).Where(request => request.Contains(" /arm/")).Select(request => request.Split(' ')[0]).ShouldBe(["GET", "PATCH", "GET"]);
    }

    [Fact]
    public async Task WeightThatIsMore_IsRefused() => (await PrepareAsync(Reroute, new { profile = s_profile, from = "cluster-b", weight = 51 })).Refusal.ShouldBe(
        "'cluster-b' has the weight 50: with 51 it would get more traffic, not less. Give it less than 50, or leave 'weight' out to disable it.");

    /// <summary>Two incidents were approved on the same reroute: what the second one is for is so already, and it holds it.</summary>
    [Fact]
    public async Task WeightThatAnotherIncidentHasGivenIt_IsSo()
    {
        var with = new { profile = s_profile, from = "cluster-b", weight = 5 };
        await RunAsync(Reroute, with);

        var second = await PrepareAsync(Reroute, with);

        (second.Refusal, second.IsSo).ShouldBe((null, true));
        (await ApplyAsync(Reroute, with, second)).Result.ShouldBe("cluster-b was enabled, weight 5 already.");
    }

    [Fact]
    public async Task WeightOfADisabledEndpoint_IsRefused()
    {
        await EndpointAsync("cluster-b", new { endpointStatus = "Disabled" });

        (await PrepareAsync(Reroute, new { profile = s_profile, from = "cluster-b", weight = 5 })).Refusal.ShouldBe("'cluster-b' is disabled: it gets no traffic, whatever its weight.");
    }

    [Theory]
    [InlineData("Performance", 5, "Traffic Manager assist has the routing method Performance, which does not look at weights. Leave 'weight' out to disable 'cluster-b', or give the profile the routing method Weighted.")]
    [InlineData("Priority", 5, "Traffic Manager assist has the routing method Priority, which does not look at weights. Leave 'weight' out to disable 'cluster-b', or give the profile the routing method Weighted.")]
    [InlineData("Priority", null, null)]
    [InlineData("Performance", null, null)]
    [InlineData("Geographic", null, "Traffic Manager assist has the routing method Geographic: the users of 'cluster-b' would get no answer, and not another endpoint. Make it an endpoint of a nested profile, and reroute in that one.")]
    [InlineData("Subnet", 5, "Traffic Manager assist has the routing method Subnet: the users of 'cluster-b' would get no answer, and not another endpoint. Make it an endpoint of a nested profile, and reroute in that one.")]
    public async Task RoutingMethodThatSendsNobodyElsewhere_IsRefused(string method, int? weight, string? why)
    {
        await ChangeAsync(HttpMethod.Patch, s_profile, new { properties = new { trafficRoutingMethod = method } });

        (await PrepareAsync(Reroute, new { profile = s_profile, from = "cluster-b", weight })).Refusal.ShouldBe(why);
    }

    [Fact]
    public async Task RoutingMethodThatChangedMeanwhile_IsSeenBeforeActing()
    {
        var with = new { profile = s_profile, from = "cluster-b", weight = 5 };
        var preparation = await PrepareAsync(Reroute, with);
        await ChangeAsync(HttpMethod.Patch, s_profile, new { properties = new { trafficRoutingMethod = "Priority" } });

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Reroute, with, preparation))).Message.ShouldContain("does not look at weights");
        (await EndpointAsync("cluster-b")).ShouldBe("Enabled 50");
    }

    [Fact]
    public async Task TwoIncidentsThatTakeAwayEachOthersRoute_LeaveOne()
    {
        object[] ways = [s_away, new { profile = s_profile, from = "cluster-a", to = "cluster-b" }];
        var preparations = await Task.WhenAll(ways.Select(way => PrepareAsync(Reroute, way)));

        var done = await AtOnceAsync(ways.Select<object, Func<Task<bool>>>((way, index) => async () =>
        {
            try
            {
                await Action(Reroute).ApplyAsync(Bind(way, Action(Reroute).ParametersType), preparations[index], ContextOf($"inc-{index}"), Cancel);
                return true;
            }
            catch (StepRefusedException)
            {
                return false;
            }
        }));

        done.Count(one => one).ShouldBe(1);
        new[] { await EndpointAsync("cluster-a"), await EndpointAsync("cluster-b") }.Count(endpoint => endpoint.StartsWith("Enabled", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task TakerThatIsAlwaysServed_TakesTheTrafficUnprobed()
    {
        await EndpointAsync("cluster-a", new { endpointMonitorStatus = "Unmonitored", alwaysServe = "Enabled" });

        var preparation = await PrepareAsync(Reroute, s_away);

        preparation.Refusal.ShouldBeNull();
        preparation.PlannedEffect.ShouldContain(" Whether cluster-a is healthy is not probed (Always Serve).");
        await ApplyAsync(Reroute, s_away, preparation);
        (await EndpointAsync("cluster-b")).ShouldStartWith("Disabled");
    }

    [Fact]
    public async Task TakerThatIsDisabled_IsNotServedAtAll()
    {
        await EndpointAsync("cluster-a", new { endpointStatus = "Disabled", endpointMonitorStatus = "Disabled", alwaysServe = "Enabled" });

        (await PrepareAsync(Reroute, s_away)).Refusal.ShouldBe("'cluster-a' is disabled, so it cannot take over, and whether it is healthy is not known.");
    }

    [Fact]
    public async Task UnhealthyTaker_IsRefused()
    {
        await EndpointAsync("cluster-a", new { endpointMonitorStatus = "Degraded" });

        (await PrepareAsync(Reroute, s_away)).Refusal.ShouldNotBeNull().ShouldContain("traffic would go from bad to worse");
    }

    [Fact]
    public async Task LastEnabledEndpoint_IsNeverDisabled()
    {
        await EndpointAsync("cluster-a", new { endpointStatus = "Disabled" });

        (await PrepareAsync(Reroute, new { profile = s_profile, from = "cluster-b" })).Refusal.ShouldNotBeNull().ShouldContain("last one that is enabled");
        (await PrepareAsync(Reroute, s_away)).Refusal.ShouldNotBeNull().ShouldContain("is disabled, so it cannot take over");
    }

    [Fact]
    public async Task UnknownEndpoint_IsRefusedWithTheOnesThereAre()
    {
        (await PrepareAsync(Reroute, new { profile = s_profile, from = "cluster-x" })).Refusal.ShouldBe("There is no 'cluster-x'. There are: cluster-a, cluster-b.");
    }

    [Fact]
    public async Task SomebodyElsesChangeMeanwhile_IsNotOverwritten()
    {
        var preparation = await PrepareAsync(Reroute, s_away);
        await EndpointAsync("cluster-b", new { weight = 1 });

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Reroute, s_away, preparation))).Message.ShouldContain("changed by somebody else");
        (await Should.ThrowAsync<StepRefusedException>(() => UndoAsync(Reroute, preparation))).Message.ShouldContain("left alone");

        (await EndpointAsync("cluster-b")).ShouldBe("Enabled 1");
    }

    [Fact]
    public async Task InterruptedAttempt_StillGoesBackToTheFirstSetting()
    {
        var first = await PrepareAsync(Reroute, s_away);
        await ApplyAsync(Reroute, s_away, first);

        var again = await PrepareAsync(Reroute, s_away, interrupted: first);
        (await ApplyAsync(Reroute, s_away, again, interrupted: first)).Result.ShouldContain("by an earlier attempt or by somebody else");
        await UndoAsync(Reroute, again);

        (await EndpointAsync("cluster-b")).ShouldBe("Enabled 50");
    }

    [Fact]
    public async Task Preparing_TouchesNothing()
    {
        await PrepareAsync(Reroute, s_away);

        (await RequestsAsync()).ShouldEach(request => request.StartsWith("GET "));
    }

    [Theory]
    [InlineData("403", typeof(StepRefusedException), "lacks the role Traffic Manager Contributor on Traffic Manager assist")]
    [InlineData("404", typeof(StepRefusedException), "There is no Traffic Manager assist")]
    [InlineData("500", typeof(AzureRequestException), "answered 500")]
    [InlineData("unreachable", typeof(AzureRequestException), "cannot be reached")]
    public async Task Fault_IsSaidInWords(string fault, Type exception, string words)
    {
        await FaultAsync("arm", fault);

        (await Should.ThrowAsync(() => PrepareAsync(Reroute, s_away), exception)).Message.ShouldContain(words);
    }
}
