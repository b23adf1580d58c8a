using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>Each way to move requests to another model server, as a lease: it goes back when the provider has been healthy for a while.</summary>
public sealed class TrafficLeaseTests : InSandboxWorld
{
    private const string Azure = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers";

    [Theory]
    [InlineData("apim.backendPool", "{\"service\":\"$/Microsoft.ApiManagement/service/assist-apim\",\"pool\":\"llm\",\"backend\":\"openai-paygo\",\"priority\":1}", "/arm$/Microsoft.ApiManagement/service/assist-apim/backends/llm?api-version=2024-05-01", "properties")]
    [InlineData("azureMl.trafficSplit", "{\"workspace\":\"$/Microsoft.MachineLearningServices/workspaces/ml\",\"endpoint\":\"answers\",\"deployment\":\"blue\",\"percent\":0}", "/arm$/Microsoft.MachineLearningServices/workspaces/ml/onlineEndpoints/answers?api-version=2024-10-01", "properties")]
    [InlineData("azureOpenAI.spillOver", "{\"account\":\"$/Microsoft.CognitiveServices/accounts/assist-openai\",\"deployment\":\"gpt-4o-ptu\",\"to\":\"gpt-4o-paygo\"}", "/arm$/Microsoft.CognitiveServices/accounts/assist-openai/deployments/gpt-4o-ptu?api-version=2025-09-01", "properties")]
    [InlineData("litellm.modelRoute", "{\"model\":\"gpt-4o\",\"deployment\":\"ptu\",\"weight\":0}", "/_sandbox/state", "apis.litellm")]
    [InlineData("envoyAiGateway.route", "{\"namespace\":\"chat\",\"route\":\"assist\",\"backend\":\"openai-paygo\",\"priority\":0}", "/kubernetes/b/apis/aigateway.envoyproxy.io/v1beta1/namespaces/chat/aigatewayroutes/assist", "spec")]
    public async Task ProviderThatIsHealthyForAWhile_GetsItsRequestsBack(string action, string with, string place, string part)
    {
        var before = await StateAsync(place, part);
        await _world.FaultAsync("provider", "500", "/provider/ptu", count: 3);
        var opened = await _world.OpenAsync(Runbook(action, with.Replace("$", Azure, StringComparison.Ordinal)));
        opened.State.ShouldBe(IncidentState.AwaitingApproval, opened.Reason);

        (await _world.ApproveAsync(opened.Id)).State.ShouldBe(IncidentState.Holding);
        IsSame(await StateAsync(place, part), before).ShouldBeFalse("the requests have moved");
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Undone);
        IsSame(await StateAsync(place, part), before).ShouldBeTrue("everything is as it was");
    }

    // A service may answer the same in another order.
    private static bool IsSame(JsonElement one, JsonElement other) => JsonElement.DeepEquals(one, other);

    private async Task<JsonElement> StateAsync(string place, string part) =>
        part.Split('.').Aggregate(await _world.GetAsync(place.Replace("$", Azure, StringComparison.Ordinal)), (json, name) => json.GetProperty(name));

    private static Runbook Runbook(string action, string with)
    {
        var runbook = Given.Runbook();
        return runbook with
        {
            Diagnosis = [Check("down", "ptu"), Check("works", "paygo")],
            Mitigation = runbook.Mitigation with
            {
                Steps = [Given.Step("move", action, JsonSerializer.Deserialize<JsonElement>(with))],
                Verify = new Verify(["works"], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)),
                HoldUntil = new Hold(["down"], TimeSpan.FromMinutes(10), TimeSpan.FromHours(4), TimeSpan.FromMinutes(1)),
            },
            Resolution = new(),
        };

        static CheckSpec Check(string name, string provider) => Given.Check(name) with { Check = "llm.provider", With = JsonSerializer.SerializeToElement(new { provider, ask = "completion" }) };
    }
}
