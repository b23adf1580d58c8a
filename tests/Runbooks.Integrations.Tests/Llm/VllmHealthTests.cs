using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Llm;

public sealed class VllmHealthTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus().AddModelServers();

    private Task<CheckResult> AskAsync(string? pod, int? maxWaiting = null, string ns = "inference") =>
        AskAsync("vllm.health", new { @namespace = ns, pod, maxWaiting });

    private async Task SetAsync(string metric, double value, string pod = "llm-b-1") =>
        (await Http.PostAsJsonAsync("/exporters/_gauges", new { metric, pod, value }, Cancel)).EnsureSuccessStatusCode();

    [Fact]
    public async Task WorkWithoutTokens_IsAHungEngine()
    {
        var result = await AskAsync("llm-b-0");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("16 run, 48 wait, and no token was generated for 5 min: the engine hangs.");
        (result.Value, result.Threshold, result.Unit).ShouldBe(("0", "== 0", "tokens/s"));
        result.Series[0].ShouldBeGreaterThan(500, "it generated tokens before it hung");
        result.Series[^1].ShouldBe(0);
    }

    [Fact]
    public async Task WorkWithTokens_IsPassing() =>
        (await AskAsync("llm-b-1")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldBe("12 run, 0 wait, 900 tokens/s over 5 min."));

    [Fact]
    public async Task ServerOfEmbeddings_IsBusyThoughItGeneratesNoToken() =>
        (await AskAsync("embedder-6f7c9b4d88-x2x4v", ns: "search")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldBe("12 run, 0 wait, 2100 tokens/s over 5 min."),
            result => result.Series[^1].ShouldBe(2100, 10));

    [Fact]
    public async Task RecycledPod_IsPassingAtOnce()
    {
        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        Clock.Advance(TimeSpan.FromSeconds(2));

        (await AskAsync("llm-b-0")).Summary.ShouldBe("Nothing is seen to run or wait: it is idle, or hangs in its first request, which its figures do not show.");
    }

    [Fact]
    public async Task RequestThatHasJustComeToAnIdleEngine_HangsNobody()
    {
        await SetAsync("vllm:num_requests_running", 0, "llm-b-0");
        await SetAsync("vllm:num_requests_waiting", 0, "llm-b-0");
        Clock.Advance(TimeSpan.FromMinutes(6));
        await SetAsync("vllm:num_requests_running", 1, "llm-b-0");

        (await AskAsync("llm-b-0")).Verdict.ShouldBe(Verdict.Passing);

        Clock.Advance(TimeSpan.FromMinutes(6));
        (await AskAsync("llm-b-0")).Verdict.ShouldBe(Verdict.Failing, "it has waited for all of the window by now");
    }

    [Fact]
    public async Task LongQueue_IsFailingOnlyWhereItIsAskedFor()
    {
        await SetAsync("vllm:num_requests_waiting", 40);

        (await AskAsync("llm-b-1")).Verdict.ShouldBe(Verdict.Passing);
        var result = await AskAsync("llm-b-1", maxWaiting: 20);
        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("12 run, 40 wait; at most 20 may wait.");
        (result.Value, result.Threshold, result.Unit).ShouldBe(("40", "> 20", "requests"));
        (result.Series[0], result.Series[^1]).ShouldBe((0, 40), "the curve is the queue's");
        (await AskAsync("llm-b-1", maxWaiting: 60)).ShouldSatisfyAllConditions(
            within => within.Verdict.ShouldBe(Verdict.Passing),
            within => (within.Value, within.Unit).ShouldBe(("40", "requests")));
    }

    [Fact]
    public async Task WholeNamespace_TheWorstEngineCountsAndIsNamedAndDrawn() =>
        (await AskAsync(null)).ShouldSatisfyAllConditions(
            result => result.Summary.ShouldBe("llm-b-0 (engine 0, the worst of 2): 16 run, 48 wait, and no token was generated for 5 min: the engine hangs."),
            result => result.Series[^1].ShouldBe(0, "what the other one generates is no token of this one"));

    /// <summary>What it generated before is in the window for as long as that is.</summary>
    [Fact]
    public async Task EngineThatHungWithinTheWindow_IsNotCalledWell()
    {
        (await AskAsync("vllm.health", new { @namespace = "inference", pod = "llm-b-0", window = "20m" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldBe("16 run, 48 wait, and no token was generated for 5 min: too short to tell that the engine hangs."));
        (await AskAsync("llm.latency", new { @namespace = "inference", failing = "> 30", window = "20m" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldEndWith("; but llm-b-0 had work and gave no first token within 5 min."));
    }

    [Fact]
    public async Task PodThatIsNotScraped_IsUnknownAndNamesTheSeries()
    {
        var result = await AskAsync("tokenizer-7d9f8c6b5d-x2x4v");

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldBe("Prometheus 'practice' has no series vllm:num_requests_running of pod inference/tokenizer-7d9f8c6b5d-x2x4v: is the pod scraped, and do its labels say namespace and pod?");
    }

    [Fact]
    public async Task PrometheusThatDoesNotAnswer_IsUnknown()
    {
        await FaultAsync("prometheus", "500", count: 9);

        (await AskAsync("llm-b-0")).Verdict.ShouldBe(Verdict.Unknown);
    }

    [Fact]
    public async Task ServerThatIsAskedNothing_SaysNothingAboutItsSpeed()
    {
        var slow = new { @namespace = "inference", pod = "llm-b-0", measure = "tokensPerSecond", failing = "< 100" };
        (await AskAsync("llm.latency", slow)).Verdict.ShouldBe(Verdict.Failing, "work waits and no token comes");

        await SetAsync("vllm:num_requests_running", 0, "llm-b-0");
        await SetAsync("vllm:num_requests_waiting", 0, "llm-b-0");
        Clock.Advance(TimeSpan.FromMinutes(6));

        (await AskAsync("llm.latency", slow)).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldBe("0 tokens/s; limit < 100; but nothing was asked of pod inference/llm-b-0, or nothing reported, for a part of 5 min, so its tokens say nothing."),
            result => result.Threshold.ShouldBe("< 100"));
    }

    [Fact]
    public async Task ServersOfWhichOneHangs_AreNotCalledFast()
    {
        (await AskAsync("llm.latency", new { @namespace = "inference", failing = "> 30" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldEndWith("; but llm-b-0 had work and gave no first token within 75 s."));
        (await AskAsync("llm.latency", new { @namespace = "inference", measure = "tokensPerSecond", failing = "< 100" })).Verdict.ShouldBe(Verdict.Unknown);

        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        Clock.Advance(TimeSpan.FromMinutes(7));
        (await AskAsync("llm.latency", new { @namespace = "inference", failing = "> 30" })).Verdict.ShouldBe(Verdict.Passing);
    }

    [Fact]
    public async Task ServerThatIsAskedLittle_IsNotCalledSlow()
    {
        var slow = new { @namespace = "inference", pod = "llm-b-1", measure = "tokensPerSecond", failing = "< 5000" };
        (await AskAsync("llm.latency", slow)).Verdict.ShouldBe(Verdict.Failing, "it is busy all the time");

        await SetAsync("vllm:num_requests_running", 0);
        Clock.Advance(TimeSpan.FromMinutes(1));
        await SetAsync("vllm:num_requests_running", 12);
        Clock.Advance(TimeSpan.FromMinutes(2));

        (await AskAsync("llm.latency", slow)).Verdict.ShouldBe(Verdict.Unknown);
    }

    [Fact]
    public async Task Latency_IsHeldAgainstTheThreshold()
    {
        (await AskAsync("llm.latency", new { @namespace = "chat", failing = "> 3" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldContain("s (95 % of first tokens come sooner); limit > 3."));
        (await AskAsync("llm.latency", new { @namespace = "inference", pod = "llm-b-1", failing = "> 3" })).Verdict.ShouldBe(Verdict.Passing);
        (await AskAsync("llm.latency", new { @namespace = "inference", pod = "llm-b-1", measure = "tokensPerSecond", failing = "< 100" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Unit.ShouldBe("tokens/s"));
        (await AskAsync("llm.latency", new { @namespace = "inference", pod = "llm-b-0", failing = "> 3" })).Summary.ShouldContain("No request of pod inference/llm-b-0 got its first token");
        (await AskAsync("llm.latency", new { @namespace = "nowhere", failing = "> 3" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldContain("has no series vllm:time_to_first_token_seconds_bucket in namespace nowhere"));
    }

    [Fact]
    public async Task LatencyOfAPodThatWasReplacedUnderAnotherName_IsThatOfThoseInItsPlace()
    {
        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/search/pods/embedder-6f7c9b4d88-x2x4v", Cancel);
        Clock.Advance(TimeSpan.FromMinutes(2));

        (await AskAsync("llm.latency", new { @namespace = "search", pod = "embedder-6f7c9b4d88-x2x4v", failing = "> 3" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldStartWith("embedder-6f7c9b4d88-x2x4v is gone; of those in its place: "));
    }
}
