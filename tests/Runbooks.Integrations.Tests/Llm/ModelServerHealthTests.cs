using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Llm;

/// <summary>The model servers beside vLLM: in the sandbox's <c>lab</c> one pod of each hangs.</summary>
public sealed class ModelServerHealthTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus().AddModelServers();

    private Task<CheckResult> AskAsync(string check, string? pod, int? maxWaiting = null, string ns = "lab") => AskAsync(check, new { @namespace = ns, pod, maxWaiting });

    private async Task SetAsync(string metric, double value, string pod) =>
        (await Http.PostAsJsonAsync("/exporters/_gauges", new { metric, pod, value }, Cancel)).EnsureSuccessStatusCode();

    [Theory]
    [InlineData("tgi.health", "summarizer-6c9d7f5b84-x2x4v", "16 run, 48 wait, and no batch was finished for 5 min: the server hangs.")]
    [InlineData("triton.health", "ranker-5d8b6c7f94-x2x4v", "48 wait, and no batch was executed for 5 min: the model hangs.")]
    [InlineData("tgi.health", null, "summarizer-6c9d7f5b84-x2x4v (the worst of 2): 16 run, 48 wait, and no batch was finished for 5 min: the server hangs.")]
    [InlineData("triton.health", null, "ranker-5d8b6c7f94-x2x4v (model ranker, the worst of 2): 48 wait, and no batch was executed for 5 min: the model hangs.")]
    public async Task WorkOfWhichNothingComes_IsAHungServer(string check, string? pod, string summary)
    {
        var result = await AskAsync(check, pod);

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe(summary);
        (result.Value, result.Threshold, result.Unit).ShouldBe(("0", "== 0", "batches/s"));
    }

    /// <summary>Servers of another deployment beside it are nothing to its runbook.</summary>
    [Theory]
    [InlineData("summarizer", Verdict.Failing)]
    [InlineData("ranker", Verdict.Unknown)]
    public async Task DeploymentThatIsNamed_IsAskedAlone(string deployment, Verdict verdict) =>
        (await AskAsync("tgi.health", new { @namespace = "lab", deployment })).Verdict.ShouldBe(verdict);

    [Theory]
    [InlineData("tgi.health", "summarizer-6c9d7f5b84-k9q7d", "12 run, 0 wait, 78.5 batches/s over 5 min.", null)]
    [InlineData("triton.health", "ranker-5d8b6c7f94-k9q7d", "Nothing waits: it is idle, or hangs in a request behind which none waits.", "without a request to show it")]
    public async Task ServerThatWorks_IsPassing(string check, string pod, string summary, string? caveat) =>
        (await AskAsync(check, pod)).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldBe(summary),
            result => result.Caveat.ShouldBe(caveat));

    [Theory]
    [InlineData("tgi.health", "tgi_queue_size", "summarizer-6c9d7f5b84-k9q7d", "12 run, 40 wait; at most 20 may wait.")]
    [InlineData("triton.health", "nv_inference_pending_request_count", "ranker-5d8b6c7f94-k9q7d", "40 wait; at most 20 may wait.")]
    public async Task LongQueue_IsFailingOnlyWhereItIsAskedFor(string check, string metric, string pod, string summary)
    {
        await SetAsync(metric, 40, pod);

        (await AskAsync(check, pod)).Verdict.ShouldBe(Verdict.Passing, "it gets less");
        (await AskAsync(check, pod, maxWaiting: 20)).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldBe(summary));
    }

    [Theory]
    [InlineData("tgi.health", "summarizer-6c9d7f5b84", "12 run, 0 wait")]
    [InlineData("triton.health", "ranker-5d8b6c7f94", "Nothing waits")]
    public async Task PodThatWasReplacedUnderAnotherName_IsFollowed(string check, string replicaSet, string words)
    {
        await Http.DeleteAsync($"/kubernetes/b/api/v1/namespaces/lab/pods/{replicaSet}-x2x4v", Cancel);
        Clock.Advance(TimeSpan.FromMinutes(2));

        (await AskAsync(check, $"{replicaSet}-x2x4v")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldStartWith($"{replicaSet}-x2x4v is gone; of those in its place: {replicaSet}-"),
            result => result.Summary.ShouldContain(words));
    }

    [Fact]
    public async Task PodThatIsGoneAndNotReplacedYet_KeepsTheOthersFromPassing()
    {
        await PatchAsync("/kubernetes/b/apis/apps/v1/namespaces/lab/deployments/summarizer", """{"spec":{"replicas":1}}""");
        Clock.Advance(TimeSpan.FromMinutes(2));
        var gone = (await Http.GetStringAsync("/exporters/targets", Cancel)).Contains("x2x4v", StringComparison.Ordinal) ? "k9q7d" : "x2x4v";

        (await AskAsync("tgi.health", $"summarizer-6c9d7f5b84-{gone}")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldNotBe(Verdict.Passing),
            result => result.Summary.ShouldStartWith($"summarizer-6c9d7f5b84-{gone} is gone; of those in its place: "));
    }

    [Fact]
    public async Task ModelOnAGpuForWhichRequestsAlwaysWait_IsBusyAndNotHung()
    {
        await SetAsync("nv_inference_pending_request_count", 40, "ranker-5d8b6c7f94-k9q7d");
        Clock.Advance(TimeSpan.FromMinutes(10));

        (await AskAsync("triton.health", "ranker-5d8b6c7f94-k9q7d")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldBe("40 wait, 1.2 batches/s over 5 min."));
    }

    [Theory]
    [InlineData("tgi.health", "tgi_batch_current_size")]
    [InlineData("triton.health", "nv_inference_pending_request_count")]
    public async Task PodThatIsNotScraped_IsUnknownAndNamesTheSeries(string check, string metric) =>
        (await AskAsync(check, "llm-b-0", ns: "inference")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldBe($"Prometheus 'practice' has no series {metric} of pod inference/llm-b-0: is the pod scraped, and do its labels say namespace and pod?"));
}
