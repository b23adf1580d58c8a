using Runbooks.Model.Incidents;
using static Runbooks.Model.Incidents.IncidentState;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>What becomes of each shipped runbook when what it calls fails: tried again, or failed with nothing left behind and the reason in words.</summary>
public sealed class FaultsTests : InSandboxWorld
{
    private const string Gpu = "hanged-gpu.azure-monitor";
    private const string Outage = "provider-outage.azure-monitor";
    private const string Toxic = "toxic-loop.azure-monitor";
    private const string Latency = "high-latency-reroute.azure-monitor";
    private const string Limited = "rate-limited.azure-monitor";
    private const string Throughput = "throughput-used-up.azure-monitor";
    private const string Disk = "disk-full.azure-monitor";

    // Longer than whatever waits: retries, verification, the cause's own end, the leases.
    private static readonly TimeSpan s_longEnough = TimeSpan.FromHours(3);

    [Theory]
    [InlineData(Gpu, "kubernetes", "/eviction", "slow", 1, Resolved, "was ready after")]
    [InlineData(Gpu, "kubernetes", "/eviction", "429", 1, Failed, "A disruption budget forbids evicting pod inference/llm-b-0")]
    [InlineData(Gpu, "kubernetes", "/eviction", "403", 1, Failed, "It needs Azure Kubernetes Service RBAC Writer")]
    [InlineData(Gpu, "kubernetes", "/eviction", "409", 1, Resolved, "was ready after")]
    [InlineData(Gpu, "kubernetes", "/eviction", "500", 1, Resolved, "was ready after")]
    [InlineData(Gpu, "kubernetes", "/eviction", "500", 9, Failed, "failed 3 times; last: Cluster 'b' answered 500")]
    [InlineData(Gpu, "kubernetes", "/eviction", "unreachable", 1, Resolved, "was ready after")]
    [InlineData(Outage, "appconfiguration", "PUT ", "slow", 1, Resolved, "again")]
    [InlineData(Outage, "appconfiguration", "PUT ", "429", 1, Resolved, "again")]
    [InlineData(Outage, "appconfiguration", "PUT ", "403", 1, Failed, "lacks the role App Configuration Data Owner on App Configuration 'practice'")]
    [InlineData(Outage, "appconfiguration", "PUT /appconfiguration/kv/banner", "403", 1, Failed, "lacks the role App Configuration Data Owner on App Configuration 'practice'")]
    [InlineData(Outage, "appconfiguration", "PUT /appconfiguration/kv/banner", "412", 1, Resolved, "again")]
    [InlineData(Outage, "appconfiguration", "PUT /appconfiguration/kv/banner", "412", 9, Failed, "was changed by somebody else at this moment. Nothing was written.")]
    [InlineData(Outage, "appconfiguration", "PUT /appconfiguration/kv/banner", "409", 1, Failed, "is locked. Nothing was changed")]
    [InlineData(Outage, "appconfiguration", "PUT ", "500", 1, Resolved, "again")]
    [InlineData(Outage, "appconfiguration", "PUT /appconfiguration/kv/banner", "500", 9, Failed, "failed 3 times; last: App Configuration 'practice' answered 500")]
    [InlineData(Outage, "appconfiguration", "DELETE ", "500", 1, Resolved, "again")]
    [InlineData(Outage, "provider", "/provider/local/v1/chat", "500", 999, Failed, "The fix did not help within 5m: local-model: failing (local is failing: 500")]
    [InlineData(Toxic, "arm", "PUT ", "slow", 1, Resolved, "Removed the rule")]
    [InlineData(Toxic, "arm", "PUT ", "429", 1, Resolved, "Removed the rule")]
    [InlineData(Toxic, "arm", "PUT ", "403", 1, Failed, "lacks the role Network Contributor on WAF policy assistwaf")]
    [InlineData(Toxic, "arm", "PUT ", "500", 1, Resolved, "Removed the rule")]
    [InlineData(Toxic, "arm", "PUT ", "lroFails", 1, Resolved, "Removed the rule")]
    [InlineData(Toxic, "arm", "PUT ", "lroFails", 3, Failed, "but it ended as Failed: InternalOperationError")]
    [InlineData(Toxic, "arm", "PATCH ", "slow", 1, Resolved, "Left subscription user-4711 suspended")]
    [InlineData(Toxic, "arm", "PATCH ", "429", 1, Resolved, "Left subscription user-4711 suspended")]
    [InlineData(Toxic, "arm", "PATCH ", "403", 1, Failed, "lacks the role API Management Service Contributor on subscription user-4711")]
    [InlineData(Toxic, "arm", "PATCH ", "412", 1, Resolved, "Left subscription user-4711 suspended")]
    [InlineData(Toxic, "arm", "PATCH ", "412", 9, Failed, "subscription user-4711 was changed by somebody else at this moment")]
    [InlineData(Toxic, "arm", "PATCH ", "500", 9, Failed, "failed 3 times; last: subscription user-4711 answered 500")]
    [InlineData(Limited, "arm", "PATCH ", "slow", 1, Resolved, "Gave openai-paygo priority 2 and weight 100 again")]
    [InlineData(Limited, "arm", "PATCH ", "403", 1, Failed, "lacks the role API Management Service Contributor on backend pool llm")]
    [InlineData(Limited, "arm", "PATCH ", "412", 1, Resolved, "Gave openai-paygo priority 2 and weight 100 again")]
    [InlineData(Limited, "arm", "PATCH ", "500", 1, Resolved, "Gave openai-paygo priority 2 and weight 100 again")]
    [InlineData(Limited, "arm", "PATCH ", "500", 9, Failed, "failed 3 times; last: backend pool llm answered 500")]
    [InlineData(Toxic, "arm", "PUT /arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/Microsoft.CognitiveServices", "403", 1, Failed, "lacks the role Cognitive Services Contributor on blocklist item")]
    [InlineData(Toxic, "arm", "PUT /arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/Microsoft.CognitiveServices", "500", 1, Resolved, "Removed blocklist item")]
    [InlineData(Toxic, "arm", "DELETE ", "500", 1, Resolved, "Removed blocklist item")]
    [InlineData(Throughput, "arm", "PUT ", "slow", 1, Resolved, "Spill-over of deployment gpt-4o-ptu is off again")]
    [InlineData(Throughput, "arm", "PUT ", "403", 1, Failed, "lacks the role Cognitive Services Contributor on deployment gpt-4o-ptu")]
    [InlineData(Throughput, "arm", "PUT ", "500", 1, Resolved, "Spill-over of deployment gpt-4o-ptu is off again")]
    [InlineData(Throughput, "arm", "PUT ", "lroFails", 3, Failed, "but it ended as Failed: InternalOperationError")]
    [InlineData(Latency, "arm", "PATCH ", "slow", 1, Resolved, "Gave cluster-b its traffic back")]
    [InlineData(Latency, "arm", "PATCH ", "429", 1, Resolved, "Gave cluster-b its traffic back")]
    [InlineData(Latency, "arm", "PATCH ", "403", 1, Failed, "lacks the role Traffic Manager Contributor on endpoint cluster-b")]
    [InlineData(Latency, "arm", "PATCH ", "500", 1, Resolved, "Gave cluster-b its traffic back")]
    [InlineData(Latency, "arm", "PATCH ", "500", 9, Failed, "failed 3 times; last: endpoint cluster-b answered 500")]
    [InlineData(Latency, "arm", "PATCH ", "unreachable", 1, Resolved, "Gave cluster-b its traffic back")]
    public async Task StepThatMeetsAFault_IsTriedAgainOrFailsInWords(string sample, string api, string on, string fault, int count, IncidentState ending, string words)
    {
        var asked = await _world.FireAsync(sample);
        asked.State.ShouldBe(AwaitingApproval);
        var before = await _world.StateAsync();
        if (sample == Toxic && on.StartsWith("PUT ", StringComparison.Ordinal))
        {
            // The key is taken away before the prompt is blocked, and waits for a person.
            before = before.Replace("\"state\": \"active\"", "\"state\": \"suspended\"", StringComparison.Ordinal).Replace("\"_version\": 1", "\"_version\": 2", StringComparison.Ordinal);
        }

        await _world.FaultAsync(api, fault, on, count);

        await _world.ApproveAsync(asked.Id);
        await ShouldEndAsync(asked.Id, ending, words, before);
    }

    // Nobody is asked here: the first four scripts belong to the diagnosis and the plan, then come the step's own.
    [Theory]
    [InlineData("slow", 1, Resolved, "Deleted 12,408 files")]
    [InlineData("429", 1, Resolved, "Deleted 12,408 files")]
    [InlineData("403", 999, Failed, "lacks the role Virtual Machine Contributor on virtual machine vm-batch-1")]
    [InlineData("409", 1, Resolved, "Deleted 12,408 files")]
    [InlineData("500", 1, Resolved, "Deleted 12,408 files")]
    [InlineData("500", 999, Failed, "virtual machine vm-batch-1 answered 500")]
    [InlineData("lroFails", 1, Resolved, "Deleted 12,408 files")]
    [InlineData("lroFails", 999, Failed, "but it ended as Failed: InternalOperationError")]
    public async Task SelfHealingStepThatMeetsAFault_IsTriedAgainOrFailsInWords(string fault, int count, IncidentState ending, string words)
    {
        await _world.FaultAsync("arm", fault, "/runCommand", count, skip: 3);
        var fired = await _world.FireAsync(Disk);

        await ShouldEndAsync(fired.Id, ending, words, before: null);
    }

    [Theory]
    [InlineData("DELETE /appconfiguration/kv/banner", "banner")]
    [InlineData("DELETE /appconfiguration/kv/.appconfig", "local-model-only")]
    public async Task LeaseThatMayNotBeTakenBack_PagesAndSaysWhatIsLeft(string on, string left)
    {
        var asked = await _world.FireAsync(Outage);
        await _world.FaultAsync("appconfiguration", "403", on, count: 999);
        await _world.ApproveAsync(asked.Id);

        var ended = await _world.AdvanceAsync(asked.Id, s_longEnough);

        ended.State.ShouldBe(Failed);
        ended.Reason.ShouldNotBeNull().ShouldContain("could not be taken back");
        ended.Reason.ShouldContain($"so it may not delete");
        ended.Reason.ShouldContain(left);
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
    }

    private async Task ShouldEndAsync(string id, IncidentState ending, string words, string? before)
    {
        var ended = await _world.AdvanceAsync(id, s_longEnough);

        ended.State.ShouldBe(ending, ended.Reason);
        $"{ended.Reason} {string.Join(' ', ended.Steps.Select(step => step.Outcome))}".ShouldContain(words);
        if (ending == Failed)
        {
            before?.ShouldBe(await _world.StateAsync());
            _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty("a person is needed");
        }
    }
}
