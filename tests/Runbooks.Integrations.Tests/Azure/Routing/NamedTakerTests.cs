using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Routing;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.Routing;

/// <summary>A person approves who takes the traffic over: it has to be who gets it.</summary>
public sealed class NamedTakerTests : WithServer
{
    private const string Group = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers";

    [Theory]
    [InlineData("Priority", "Online", "b", "to b:", null)]
    [InlineData("Priority", "Online", "c", "", "Without 'a' the traffic goes to 'b' (priority 2), and not to 'c' (priority 3). Name that one, or change the priorities.")]
    [InlineData("Priority", "Degraded", "c", "to c:", null)]
    [InlineData("Priority", "Online", null, "to the others:", null)]
    [InlineData("Performance", "Online", "c", "to the others, c among them:", null)]
    [InlineData("Performance", "Degraded", "c", "to c:", null)]
    [InlineData("Weighted", "Online", "b", "to the others, b among them:", null)]
    public async Task EndpointThatIsNamed_IsOneThatGetsIt(string method, string healthOfB, string? to, string words, string? refusal)
    {
        _server.Answer = context => context.Response.WriteAsync($$$"""{"properties":{"trafficRoutingMethod":"{{{method}}}","endpoints":[{{{Endpoint("a", 1)}}},{{{Endpoint("b", 2, healthOfB)}}},{{{Endpoint("c", 3)}}}]}}""");

        await ShouldSendAsync("trafficManager.reroute", new TrafficManagerRerouteParameters { Profile = $"{Group}/Microsoft.Network/trafficManagerProfiles/tm", From = "a", To = to }, words, refusal);
    }

    [Theory]
    [InlineData(1, null, "b", "to the others, b among them:", null)]
    [InlineData(2, null, "b", "to b:", null)]
    [InlineData(2, null, "c", "", "Without 'a' the traffic goes to 'b' (priority 1), and not to 'c' (priority 2). Name that one, or change the priorities.")]
    [InlineData(1, 10, "b", "to the others, b among them:", null)]
    [InlineData(2, 10, "b", "to b:", null)]
    public async Task OriginThatIsNamed_IsOneThatGetsIt(int priorityOfC, int? weight, string to, string words, string? refusal)
    {
        _server.Answer = context => context.Response.WriteAsync(
            context.Request.Path.Value!.Contains("metrics", StringComparison.Ordinal) ? $$"""{"value":[{"timeseries":[{{Healthy("a")}},{{Healthy("b")}},{{Healthy("c")}}]}]}"""
            : context.Request.Path.Value.EndsWith("/origins", StringComparison.Ordinal) ? $$"""{"value":[{{Origin("a", 1)}},{{Origin("b", 1)}},{{Origin("c", priorityOfC)}}]}"""
            : """{"properties":{"loadBalancingSettings":{"additionalLatencyInMilliseconds":50}}}""");

        await ShouldSendAsync("frontDoor.reroute", new FrontDoorRerouteParameters { Profile = $"{Group}/Microsoft.Cdn/profiles/fd", OriginGroup = "models", From = "a", To = to, Weight = weight }, words, refusal);
    }

    private async Task ShouldSendAsync(string action, object with, string words, string? refusal)
    {
        await using var services = _server.Azure(all => all.AddFrontDoor().AddTrafficManager());

        var preparation = await services.GetServices<IAction>().Single(one => one.Name == action).PrepareAsync(with, _server.Step(), TestContext.Current.CancellationToken);

        preparation.Refusal.ShouldBe(refusal);
        preparation.PlannedEffect.ShouldContain(words);
    }

    private static string Endpoint(string name, int priority, string health = "Online") =>
        $$$"""{"name":"{{{name}}}","type":"Microsoft.Network/trafficManagerProfiles/azureEndpoints","properties":{"endpointStatus":"Enabled","endpointMonitorStatus":"{{{health}}}","weight":1,"priority":{{{priority}}}}}""";

    private static string Origin(string name, int priority) =>
        $$$"""{"name":"{{{name}}}","properties":{"hostName":"{{{name}}}.example","enabledState":"Enabled","weight":50,"priority":{{{priority}}}}}""";

    private string Healthy(string name) =>
        $$"""{"metadatavalues":[{"name":{"value":"Origin"},"value":"{{name}}.example:443"}],"data":[{"timeStamp":"{{(_server.Time.GetUtcNow() - TimeSpan.FromMinutes(3)):yyyy-MM-ddTHH:mm:ssZ}}","average":100}]}""";
}
