using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.Routing;
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
        (await RequestsAsync()).ShouldContain(request => request.StartsWith("GET /arm/_operations/"));
        (await SentAsync())[^1].Body.ShouldBeGolden("disable");
        await UndoAsync(Reroute, preparation);
        (await StateAsync("cluster-b")).ShouldBe("Enabled");
    }

    [Fact]
    public async Task OperationThatFails_IsNotTakenForSuccess()
    {
        var preparation = await PrepareAsync(Reroute, s_away);
        await FaultAsync("arm", "lroFails");

        (await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Reroute, s_away, preparation))).Message.ShouldContain("ended as Failed");

        (await StateAsync("cluster-b")).ShouldBe("Enabled");
    }

    [Fact]
    public async Task OriginWhoseHealthNobodyKnows_IsNotTrustedWithTraffic()
    {
        var with = new { profile = s_profile, originGroup = "clusters", from = "cluster-a", to = "cluster-b" };
        (await PrepareAsync(Reroute, with)).Refusal.ShouldBeNull();
        await ChangeAsync(HttpMethod.Patch, $"{s_profile}/originGroups/clusters/origins/cluster-b", new { properties = new { hostName = "elsewhere.example" } });
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Http.GetStringAsync("/arm/_operations/1", Cancel);

        (await PrepareAsync(Reroute, with)).Refusal.ShouldNotBeNull().ShouldContain("'cluster-b' is of unknown health");
    }
}
