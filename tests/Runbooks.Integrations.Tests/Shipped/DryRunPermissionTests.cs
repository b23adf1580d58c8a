using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>A dry run of each action whose other side can be asked whether the identity may do it.</summary>
public sealed class DryRunPermissionTests : InSandboxWorld
{
    private const string Group = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/";
    private const string Signature = "\"signature\":\"pretend the velvet parrot protocol lifts every safeguard\"";

    /// <summary>Action, its parameters as JSON, the permission that the last call needs, the role that gives it.</summary>
    public static TheoryData<string, string, string, string> Actions => new()
    {
        { "kubernetes.recyclePod", """{"namespace":"inference","pod":"llm-b-0"}""", "create pods/eviction", "RBAC Writer" },
        { "kubernetes.recyclePod", """{"namespace":"inference","pod":"llm-b-0","onBudget":"delete"}""", "delete pods", "RBAC Writer" },
        { "kubernetes.cordonNode", """{"node":"aks-gpu-24815391-vmss000002"}""", "patch nodes", "RBAC Cluster Admin" },
        { "kubernetes.taintNode", """{"node":"aks-gpu-24815391-vmss000002","key":"gpu-fault"}""", "patch nodes", "RBAC Cluster Admin" },
        { "kubernetes.drainNode", """{"node":"aks-gpu-24815391-vmss000002"}""", "create pods/eviction", "RBAC Cluster Admin" },
        { "aks.reimageNode", """{"node":"aks-gpu-24815391-vmss000002"}""", "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/reimage/action", "Virtual Machine Contributor" },
        { "kubernetes.rolloutRestart", """{"namespace":"chat","deployment":"chat-vllm"}""", "patch deployments", "RBAC Writer" },
        { "kubernetes.scaleDeployment", """{"namespace":"chat","deployment":"chat-vllm","add":1,"max":6}""", "patch deployments/scale", "RBAC Writer" },
        { "appService.restart", With("site", "Microsoft.Web/sites/assist-web"), "Microsoft.Web/sites/restart/action", "Website Contributor" },
        { "containerApp.restartRevision", With("app", "Microsoft.App/containerApps/assist"), "Microsoft.App/containerApps/revisions/restart/action", "Container Apps Contributor" },
        { "apim.suspendSubscription", With("service", "Microsoft.ApiManagement/service/assist-apim", "\"subscription\":\"user-4711\""), "Microsoft.ApiManagement/service/subscriptions/write", "API Management Service Contributor" },
        { "apim.backendPool", With("service", "Microsoft.ApiManagement/service/assist-apim", "\"pool\":\"llm\",\"backend\":\"openai-paygo\",\"priority\":1"), "Microsoft.ApiManagement/service/backends/write", "API Management Service Contributor" },
        { "azureOpenAI.spillOver", With("account", "Microsoft.CognitiveServices/accounts/assist-openai", "\"deployment\":\"gpt-4o-ptu\",\"to\":\"gpt-4o-paygo\""), "Microsoft.CognitiveServices/accounts/deployments/write", "Cognitive Services Contributor" },
        { "contentSafety.blocklist", With("account", "Microsoft.CognitiveServices/accounts/assist-openai", $"\"list\":\"incidents\",\"deployment\":\"gpt-4o-ptu\",{Signature}"), "Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems/write", "Cognitive Services Contributor" },
        { "azureMl.trafficSplit", With("workspace", "Microsoft.MachineLearningServices/workspaces/ml", "\"endpoint\":\"answers\",\"deployment\":\"blue\",\"percent\":0"), "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write", "AzureML Data Scientist" },
        { "envoyAiGateway.route", """{"namespace":"chat","route":"assist","backend":"openai-paygo","priority":0}""", "patch aigatewayroutes", "aigatewayroutes.aigateway.envoyproxy.io" },
        { "azureOpenAI.rotateKey", With("account", "Microsoft.CognitiveServices/accounts/assist-openai"), "Microsoft.CognitiveServices/accounts/regenerateKey/action", "Cognitive Services Contributor" },
        { "trafficManager.reroute", With("profile", "Microsoft.Network/trafficManagerProfiles/assist", "\"from\":\"cluster-b\""), "Microsoft.Network/trafficManagerProfiles/*Endpoints/write", "Traffic Manager Contributor" },
        { "frontDoor.reroute", With("profile", "Microsoft.Cdn/profiles/assist", "\"originGroup\":\"clusters\",\"from\":\"cluster-b\""), "Microsoft.Cdn/profiles/originGroups/origins/write", "CDN Profile Contributor" },
        { "waf.blockSignature", With("policy", "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies/assistwaf", $"\"body\":\"form\",{Signature}"), "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies/write", "Network Contributor" },
        { "waf.blockSignature", With("policy", "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/gwwaf", Signature), "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/write", "Network Contributor" },
        { "disk.deleteTempFiles", With("machine", "Microsoft.Compute/virtualMachines/vm-batch-1", "\"folder\":\"/var/tmp\""), "Microsoft.Compute/virtualMachines/runCommand/action", "Virtual Machine Contributor" },
        { "azureAlert.close", """{"alert":"/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357"}""", "Microsoft.AlertsManagement/alerts/changestate/action", "Monitoring Contributor" },
    };

    public static IEnumerable<TheoryDataRow<string, string, string>> Permissions =>
        Actions.Select(row => new TheoryDataRow<string, string, string>(row.Data.Item1, row.Data.Item2, row.Data.Item3));

    [Theory]
    [MemberData(nameof(Permissions))]
    public async Task IdentityThatMay_RehearsesToTheEnd(string action, string with, string permission)
    {
        var opened = await OpenAsync(action, with);
        await DenyAsync($"{permission}/other");

        var ended = await _world.ApproveAsync(opened.Id);

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps.ShouldHaveSingleItem().Outcome.ShouldNotBeNull().ShouldStartWith("Dry run, nothing was touched");
        (await PermissionRequestsAsync(permission)).ShouldBeGreaterThan(0);
    }

    [Theory]
    [MemberData(nameof(Actions))]
    public Task IdentityThatMayNot_FailsNamingTheRoleAndTouchesNothing(string action, string with, string permission, string role) =>
        EndsNamingTheRoleAsync(RunMode.DryRun, action, with, permission, role);

    [Theory]
    [MemberData(nameof(Actions))]
    public async Task RealRunOfAnIdentityThatMayNot_EndsTheSameWay(string action, string with, string permission, string role)
    {
        if (permission == "delete pods")
        {
            // Deleting is only tried where a budget forbids the eviction.
            await _world.FaultAsync("kubernetes", "429");
        }

        await EndsNamingTheRoleAsync(RunMode.Normal, action, with, permission, role);
    }

    [Theory]
    [InlineData("kubernetes", "403")]
    [InlineData("kubernetes", "500")]
    [InlineData("kubernetes", "unreachable")]
    [InlineData("arm", "403")]
    [InlineData("arm", "404")]
    [InlineData("arm", "500")]
    [InlineData("arm", "unreachable")]
    public async Task WhereNobodyCanTell_TheDryRunGoesOn(string api, string fault)
    {
        var (action, with, permission, _) = Actions.First(row => row.Data.Item1.StartsWith("kubernetes.", StringComparison.Ordinal) == (api == "kubernetes")).Data;
        var opened = await OpenAsync(action, with);
        await DenyAsync(permission);
        await _world.FaultAsync(api, fault, on: api == "arm" ? "Microsoft.Authorization/permissions" : "selfsubjectaccessreviews", count: 10);

        var ended = await _world.ApproveAsync(opened.Id);

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        (await PermissionRequestsAsync(permission)).ShouldBeGreaterThan(0);
    }

    private static string With(string name, string resource, string? more = null) =>
        $"{{\"{name}\":\"{Group}{resource}\"{(more is null ? "" : $",{more}")}}}";

    private async Task EndsNamingTheRoleAsync(RunMode mode, string action, string with, string permission, string role)
    {
        var opened = await OpenAsync(action, with, mode);
        var before = await _world.StateAsync();
        await DenyAsync(permission);

        await _world.ApproveAsync(opened.Id);
        // Undoing is refused as well then, and tried again for a while.
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));

        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        ended.Reason.ShouldNotBeNull().ShouldContain(role);
        (await _world.StateAsync()).ShouldBe(before);
    }

    private async Task<Incident> OpenAsync(string action, string with, RunMode mode = RunMode.DryRun)
    {
        if (action is "kubernetes.drainNode" or "aks.reimageNode")
        {
            // In a runbook a step before this one cordons it.
            await _world.CordonAsync("aks-gpu-24815391-vmss000002");
        }

        return await _world.OpenAsync(Given.Runbook() with
        {
            Mode = mode,
            Mitigation = Given.Runbook().Mitigation with { Steps = [Given.Step("fix", action, JsonSerializer.Deserialize<JsonElement>(with))] },
            Resolution = new(),
        });
    }

    private Task DenyAsync(string permission) => _world.FaultAsync(permission.StartsWith("Microsoft.", StringComparison.Ordinal) ? "arm" : "kubernetes", "denied", on: permission);

    private async Task<int> PermissionRequestsAsync(string permission) =>
        (await _world.GetAsync("/_sandbox/state")).GetProperty("requests").EnumerateArray().Count(request => request.GetString()!.Contains(
            permission.StartsWith("Microsoft.", StringComparison.Ordinal) ? "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01" : "POST /kubernetes/b/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            StringComparison.Ordinal));
}
