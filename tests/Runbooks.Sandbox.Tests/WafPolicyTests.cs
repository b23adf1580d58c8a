using System.Net.Http.Json;
using System.Text.Json;

namespace Runbooks.Sandbox.Tests;

/// <summary>Which requests a rule of a WAF policy turns away: the abuse is sent as JSON, and not from the office.</summary>
public sealed class WafPolicyTests : OnVirtualSandbox
{
    private const string Network = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Network";

    [Theory]
    [InlineData("PostArgs", "OWASP", "3.2", "203.0.113.0/24", 187)]
    [InlineData("PostArgs", "Microsoft_DefaultRuleSet", "2.1", "203.0.113.0/24", 187)]
    [InlineData("PostArgs", "OWASP", "3.3", "203.0.113.0/24", 187)]
    [InlineData("PostArgs", "OWASP", "3.1", "203.0.113.0/24", 0)]
    [InlineData("PostArgs", "Microsoft_BotManagerRuleSet", "3.2", "203.0.113.0/24", 0)]
    [InlineData("RequestBody", "OWASP", "3.2", "203.0.113.0/24", 0)]
    [InlineData("PostArgs", "OWASP", "3.2", "198.51.100.0/24", 0)]
    public async Task RuleOfApplicationGateway_ReadsJsonByItsArgumentsAndAfterTheRulesThatAllow(string variable, string type, string version, string allowed, int caught)
    {
        await PutAsync("ApplicationGatewayWebApplicationFirewallPolicies/gw?api-version=2025-07-01", new
        {
            customRules = new object[]
            {
                new { name = "block", priority = 2, action = "Block", matchConditions = new[] { new { matchVariables = new[] { new { variableName = variable } }, @operator = "Regex", matchValues = new[] { "velvet parrot" } } } },
                new { name = "allow", priority = 1, action = "Allow", matchConditions = new[] { new { matchVariables = new[] { new { variableName = "RemoteAddr" } }, @operator = "IPMatch", matchValues = new[] { allowed } } } },
            },
            managedRules = new { managedRuleSets = new[] { new { ruleSetType = type, ruleSetVersion = version } } },
        });

        (await CaughtAsync()).ShouldBe(caught);
    }

    [Fact]
    public async Task RuleOfFrontDoor_ReadsFormsAlone()
    {
        await PutAsync("FrontDoorWebApplicationFirewallPolicies/fd?api-version=2025-11-01", new
        {
            customRules = new { rules = new[] { new { name = "block", priority = 1, action = "Block", matchConditions = new[] { new { matchVariable = "RequestBody", @operator = "RegEx", matchValue = new[] { "velvet parrot" } } } } } },
        });

        (await CaughtAsync()).ShouldBe(0);
    }

    private async Task PutAsync(string policy, object properties)
    {
        (await Http.PutAsJsonAsync($"{Network}/{policy}", new { location = "Global", properties }, Cancel)).EnsureSuccessStatusCode();
        Clock.Advance(TimeSpan.FromSeconds(2));
    }

    private async Task<int> CaughtAsync()
    {
        using var answer = await Http.PostAsJsonAsync("/logs/v1/workspaces/w/query", new { query = "AzureDiagnostics | summarize Count = count()" }, Cancel);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("tables")[0].GetProperty("rows")[0][0].GetInt32();
    }
}
