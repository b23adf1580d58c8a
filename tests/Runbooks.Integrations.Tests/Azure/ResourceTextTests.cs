using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class ResourceTextTests
{
    private const string Group = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers";

    [Theory]
    [InlineData("Microsoft.Compute/virtualMachines/vm-batch-1", "virtual machine vm-batch-1")]
    [InlineData("microsoft.compute/virtualmachines/vm-batch-1", "virtual machine vm-batch-1")]
    [InlineData("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies/assistwaf", "WAF policy assistwaf")]
    [InlineData("Microsoft.ApiManagement/service/assist-apim/subscriptions/user-4711", "subscription user-4711")]
    [InlineData("Microsoft.Network/trafficManagerProfiles/assist/azureEndpoints/b", "endpoint b")]
    [InlineData("Microsoft.Cdn/profiles/fd/originGroups/models/origins/b", "origin b")]
    [InlineData("Microsoft.Cache/redisEnterprise/r", "redis enterprise r")]
    [InlineData("Microsoft.Network/firewallPolicies/p", "firewall policy p")]
    [InlineData("Microsoft.Web/sites/s/providers/Microsoft.ResourceHealth/availabilityStatuses/current", "web app s")]
    public void Resource_IsCalledAsPeopleDo(string resource, string words) => ResourceText.Of($"{Group}/{resource}").ShouldBe(words);

    [Fact]
    public void WhatIsNoResource_StaysAsItIs() => ResourceText.Of("/subscriptions/x").ShouldBe("/subscriptions/x");
}
