using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>What each shipped runbook shows when a question of its diagnosis cannot be answered: never that all is well.</summary>
public sealed class DiagnosisFaultsTests : InSandboxWorld
{
    // As often as questions are asked of the same system: which of them meets the fault first is a matter of luck.
    [Theory]
    [InlineData("hanged-gpu", "prometheus", "", "429", 12, "gpu-memory", Verdict.Unknown, "answered 429")]
    [InlineData("hanged-gpu", "prometheus", "", "403", 12, "stalled", Verdict.Unknown, "the role Monitoring Data Reader")]
    [InlineData("hanged-gpu", "prometheus", "", "500", 12, "stalled", Verdict.Unknown, "answered 500")]
    [InlineData("hanged-gpu", "kubernetes", "GET ", "403", 1, "zombie", Verdict.Unknown, "It needs Azure Kubernetes Service RBAC Reader, or a Kubernetes role with: get and list pods, get pods/log.")]
    [InlineData("hanged-gpu", "kubernetes", "GET ", "500", 1, "zombie", Verdict.Unknown, "answered 500")]
    [InlineData("provider-outage", "provider", "/provider/v1/chat", "429", 1, "provider-down", Verdict.Unknown, "That is a limit on requests, and no outage.")]
    [InlineData("provider-outage", "provider", "/provider/v1/chat", "500", 1, "provider-down", Verdict.Failing, "practice is failing: 500")]
    [InlineData("provider-outage", "provider", "/provider/v1/chat", "403", 1, "provider-down", Verdict.Unknown, "refuses our key: 403")]
    [InlineData("toxic-loop", "logs", "", "403", 3, "toxic-answers", Verdict.Unknown, "lacks the role Log Analytics Reader on workspace")]
    [InlineData("toxic-loop", "logs", "", "429", 3, "toxic-answers", Verdict.Unknown, "answered 429")]
    [InlineData("high-latency-reroute", "arm", "agw-cluster-b/providers/microsoft.insights/metrics", "403", 1, "region-latency", Verdict.Unknown, "lacks the role Monitoring Reader on")]
    [InlineData("high-latency-reroute", "arm", "agw-cluster-b/providers/microsoft.insights/metrics", "500", 1, "region-latency", Verdict.Unknown, "answered 500")]
    // What is slow moves the clock on by 25 seconds: of many such questions the last ones would do so while a step is prepared.
    // The check's limit and the connection's are of one length: either may speak first.
    [InlineData("high-latency-reroute", "arm", "/availabilityStatuses", "slow", 1, "platform", Verdict.Unknown, "within")]
    [InlineData("high-latency-reroute", "arm", "/availabilityStatuses", "403", 1, "platform", Verdict.Unknown, "lacks the role Reader on application gateway")]
    [InlineData("high-latency-reroute", "logs", "", "500", 2, "slow-requests", Verdict.Unknown, "answered 500")]
    [InlineData("gpu-node-fault", "prometheus", "", "500", 12, "gpu", Verdict.Unknown, "answered 500")]
    [InlineData("gpu-node-fault", "prometheus", "", "403", 12, "gpu", Verdict.Unknown, "the role Monitoring Data Reader")]
    [InlineData("gpu-node-fault", "kubernetes", "GET ", "403", 1, "node", Verdict.Unknown, "It needs Microsoft.ContainerService/managedClusters/nodes/read and ")]
    [InlineData("queue-overload", "prometheus", "", "500", 30, "queue", Verdict.Unknown, "answered 500")]
    [InlineData("queue-overload", "kubernetes", "GET ", "403", 1, "servers", Verdict.Unknown, "It needs Azure Kubernetes Service RBAC Reader, or a Kubernetes role with: get deployments.")]
    [InlineData("rate-limited", "provider", "/provider/ptu", "403", 1, "limited", Verdict.Unknown, "refuses our key: 403")]
    [InlineData("rate-limited", "provider", "/provider/paygo", "500", 1, "spill-over", Verdict.Failing, "paygo is failing: 500")]
    [InlineData("throughput-used-up", "arm", "/metrics", "403", 2, "utilization", Verdict.Unknown, "Monitoring Reader")]
    [InlineData("disk-full", "arm", "/runCommand", "403", 1, "disk", Verdict.Unknown, "lacks the role Virtual Machine Contributor on virtual machine vm-batch-1")]
    [InlineData("disk-full", "arm", "/runCommand", "lroFails", 1, "disk", Verdict.Unknown, "but it ended as Failed")]
    public async Task QuestionThatMeetsAFault_IsAnsweredInWordsAndAPersonIsAsked(string runbook, string api, string on, string fault, int count, string check, Verdict verdict, string words)
    {
        await _world.FaultAsync(api, fault, on, count);

        var asked = await _world.FireAsync($"{runbook}.azure-monitor");

        asked.State.ShouldBe(IncidentState.AwaitingApproval, asked.Reason);
        var finding = asked.Findings.Single(finding => finding.Name == check);
        finding.Verdict.ShouldBe(verdict, finding.Result.Summary);
        finding.Result.Summary.ShouldContain(words);
    }
}
