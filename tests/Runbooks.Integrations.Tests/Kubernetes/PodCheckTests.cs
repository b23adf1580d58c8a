using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class PodCheckTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    private Task<CheckResult> AskAsync(string pod, string quietFor = "5m", string? cluster = "b") =>
        AskAsync("kubernetes.pod", new { @namespace = "inference", pod, quietFor, cluster });

    [Fact]
    public async Task ReadyPodThatLogs_IsPassing()
    {
        var result = await AskAsync("llm-b-1");

        result.Verdict.ShouldBe(Verdict.Passing);
        result.Summary.ShouldBe("llm-b-1: Running, ready, no restarts, 1 GPU; last log line 4 s ago.");
    }

    [Fact]
    public async Task ReadyPodThatIsSilent_IsFailing()
    {
        var result = await AskAsync("llm-b-0");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("llm-b-0: Running, ready, no restarts, 1 GPU; last log line 9 min ago, longer than 5 min.");
        result.Value.ShouldBe("9 min");
        result.Threshold.ShouldBe("> 5 min");
    }

    /// <summary>A server without requests may log nothing.</summary>
    [Fact]
    public async Task SilenceThatIsNotAskedAbout_IsNoSignOfAHang() =>
        (await AskAsync("kubernetes.pod", new { @namespace = "inference", pod = "llm-b-0", cluster = "b", quietFor = "0s" })).Summary.ShouldBe("llm-b-0: Running, ready, no restarts, 1 GPU.");

    [Fact]
    public async Task SilenceWithinQuietFor_IsPassing() => (await AskAsync("llm-b-0", quietFor: "10m")).Verdict.ShouldBe(Verdict.Passing);

    [Fact]
    public async Task QuietForZero_DoesNotReadTheLog()
    {
        (await AskAsync("llm-b-0", quietFor: "0")).Verdict.ShouldBe(Verdict.Passing);

        (await RequestsAsync()).ShouldNotContain(request => request.Contains("/log"));
    }

    [Theory]
    [InlineData("7d", Verdict.Passing, " ago.")]
    [InlineData("5m", Verdict.Unknown, ", so its log does not tell whether it works.")]
    public async Task LogThatIsEmpty_ProvesNothing(string quietFor, Verdict verdict, string words)
    {
        await FaultAsync("kubernetes", "404", on: "/log");

        var result = await AskAsync("llm-b-0", quietFor);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldContain("; nothing logged since its start ");
        result.Summary.ShouldEndWith(words);
    }

    [Fact]
    public async Task MissingPod_IsFailingWithWords()
    {
        var result = await AskAsync("nobody");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("There is no pod inference/nobody on cluster b.");
    }

    [Fact]
    public async Task PodThatWasReplacedUnderAnotherName_IsFollowed()
    {
        const string Pod = "tokenizer-7d9f8c6b5d-x2x4v";
        var recycled = await RunAsync("kubernetes.recyclePod", new { @namespace = "inference", pod = Pod });
        Clock.Advance(TimeSpan.FromMinutes(1));

        var result = await AskAsync(Pod);

        result.Verdict.ShouldBe(Verdict.Passing);
        result.Summary.ShouldStartWith($"{Pod} is gone; the youngest in its place: {recycled.Outputs["newPod"]}: Running, ready, no restarts; last log line ");
    }

    [Fact]
    public async Task PodOfAnOlderTemplate_IsFollowedOverTheRollout()
    {
        await PatchAsync("/kubernetes/b/apis/apps/v1/namespaces/inference/deployments/tokenizer", """{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-11-24T03:00:00Z"}}}}}""");
        Clock.Advance(TimeSpan.FromMinutes(5));

        (await AskAsync("tokenizer-7d9f8c6b5d-x2x4v")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldStartWith("tokenizer-7d9f8c6b5d-x2x4v is gone; the youngest in its place: tokenizer-"));
    }

    [Fact]
    public async Task UnknownCluster_IsUnknownAndNamesTheSetting()
    {
        var result = await AskAsync("llm-b-0", cluster: "x");

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("Kubernetes:Clusters:x");
    }

    [Theory]
    [InlineData("403", "It needs Azure Kubernetes Service RBAC Reader")]
    [InlineData("500", "answered 500")]
    [InlineData("unreachable", "cannot be reached")]
    public async Task PodThatCannotBeRead_IsUnknownAndSaysWhy(string fault, string words)
    {
        await FaultAsync("kubernetes", fault);

        var result = await AskAsync("llm-b-0");

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain(words);
        result.Summary.ShouldNotContain("practice\"");
    }

    [Fact]
    public async Task LogThatCannotBeRead_IsUnknownNotHealthy()
    {
        await FaultAsync("kubernetes", "403", on: "/log");

        var result = await AskAsync("llm-b-1");

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("whether it still logs is not known");
    }
}

public sealed class PodCheckRetryTests : OnTheSandbox
{
    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["OutboundHttp:Retries"] = "2",
        ["OutboundHttp:RetryDelay"] = "00:00:00",
        // Long enough for a busy machine: only the slow answer may run into it.
        ["OutboundHttp:AttemptTimeout"] = "00:00:03",
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    [Theory]
    [InlineData("500", 2)]
    [InlineData("unreachable", 2)]
    [InlineData("slow", 1)]
    public async Task FaultThatPasses_IsSteppedOver(string fault, int count)
    {
        await FaultAsync("kubernetes", fault, count: count);

        var result = await AskAsync("kubernetes.pod", new { @namespace = "inference", pod = "llm-b-0", quietFor = "5m" });

        result.Verdict.ShouldBe(Verdict.Failing, result.Summary);
    }
}
