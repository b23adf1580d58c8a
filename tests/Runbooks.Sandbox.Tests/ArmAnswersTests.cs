using System.Net.Http.Json;

namespace Runbooks.Sandbox.Tests;

/// <summary>What the sandbox notes for itself beside a resource is not what Azure would say of it.</summary>
public sealed class ArmAnswersTests : OnTheSandbox
{
    private const string Group = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/";

    [Theory]
    [InlineData("Microsoft.CognitiveServices/accounts/ai")]
    [InlineData("Microsoft.CognitiveServices/accounts/ai/deployments/gpt-4o-ptu")]
    [InlineData("Microsoft.CognitiveServices/accounts/ai/raiBlocklists/incidents/raiBlocklistItems/one")]
    [InlineData("Microsoft.MachineLearningServices/workspaces/ml/onlineEndpoints/answers")]
    [InlineData("Microsoft.ApiManagement/service/apim/subscriptions/user-1")]
    [InlineData("Microsoft.Web/sites/web")]
    [InlineData("Microsoft.App/containerApps/app")]
    [InlineData("Microsoft.Compute/virtualMachines/vm")]
    public async Task Resource_ShowsNothingThatOnlyTheSandboxKnows(string resource)
    {
        if (resource.Contains("raiBlocklistItems", StringComparison.Ordinal))
        {
            (await Http.PutAsJsonAsync($"{Group}{resource}?api-version=2025-01-01", new { properties = new { pattern = "x", isRegex = false } }, Cancel)).EnsureSuccessStatusCode();
        }

        var answer = await JsonAsync($"{Group}{resource}?api-version=2025-01-01");

        answer.GetProperty("properties").GetRawText().ShouldNotBeEmpty();
        answer.GetRawText().ShouldNotContain("\"_");
    }
}
