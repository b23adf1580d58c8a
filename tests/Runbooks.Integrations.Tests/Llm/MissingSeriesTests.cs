using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Llm;

/// <summary>A server that reported a while ago and reports no more is no sign of health.</summary>
public sealed class GoneServersTests : WithServer
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _queries = new();

    /// <param name="now">The pods that report, and so on, with blanks between them.</param>
    private Task<CheckResult> AskAsync(string now, string within, string before, string down, string check = "tgi.health", string? longDown = null, string? longerThanALoad = null, string loadsFor = "10m")
    {
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            _queries.Enqueue(query);
            var isOfBefore = PrometheusAnswers.IsRange(context) && context.Request.Query["start"] == context.Request.Query["end"];
            var pods = query.Contains("present_over_time", StringComparison.Ordinal) ? within : query.Contains(" offset ", StringComparison.Ordinal) ? longerThanALoad ?? longDown ?? down : query.Contains("max_over_time(up{", StringComparison.Ordinal) ? longDown ?? down : query.Contains("up{", StringComparison.Ordinal) ? down : isOfBefore ? before : now;
            return PrometheusAnswers.WriteAsync(context, pods.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pod => ((object)new { @namespace = "lab", pod, model = "m" }, new[] { (1, "0") })));
        };
        return _server.AskAsync(check, new { @namespace = "lab", loadsFor });
    }

    private const string Idle = "a (the worst of 2): Nothing is seen to run or wait: it is idle, or hangs in its first request, which its figures do not show";

    [Theory]
    [InlineData("a b", "a b c", "a b c", "c", Verdict.Failing, "c reported within 60 min and does not answer any more.")]
    [InlineData("a b", "a b c d", "a b c d", "c d", Verdict.Failing, "c, d reported within 60 min and do not answer any more.")]
    [InlineData("a b", "a b c", "a b c", "", Verdict.Unknown, $"{Idle}; but c is gone, and fewer report than 5 min ago: lost, or scaled down. This is said for 5 min.")]
    // A rollout: as many report as before it.
    [InlineData("a b", "x y a b", "x y", "", Verdict.Passing, $"{Idle}.")]
    // More report than before, and one of those is down all the same.
    [InlineData("a b", "a b c", "a", "c", Verdict.Failing, "c reported within 60 min and does not answer any more.")]
    // Scaled up meanwhile, and down again.
    [InlineData("a b", "a b c", "a b", "", Verdict.Passing, $"{Idle}.")]
    [InlineData("a b", "a b", "a", "", Verdict.Passing, $"{Idle}.")]
    [InlineData("", "a b", "a b", "a", Verdict.Failing, "a reported within 60 min and does not answer any more.")]
    public async Task ServerThatIsGone_KeepsTheOthersFromPassing(string now, string within, string before, string down, Verdict verdict, string words)
    {
        var result = await AskAsync(now, within, before, down);

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    [Fact]
    public async Task ServerThatDidNotAnswerOnce_IsNotGone()
    {
        var result = await AskAsync("a b", "a b c", "a b c", down: "c", longDown: "");

        (result.Verdict, result.Summary).ShouldBe((Verdict.Passing, $"{Idle}."));
    }

    /// <summary>A server opens its port when it has loaded its model, which takes minutes: a new one in its place would load from the beginning.</summary>
    [Theory]
    [InlineData("a b", "a b c", $"{Idle}; but c does not answer: gone, or loading its model.")]
    [InlineData("", "a", "a does not answer: gone, or loading its model.")]
    public async Task ServerThatMayStillLoad_IsNotDownYet(string now, string within, string words)
    {
        var result = await AskAsync(now, within, within, within[^1..], longerThanALoad: "");

        (result.Verdict, result.Summary).ShouldBe((Verdict.Unknown, words));
    }

    /// <summary>Only what is still known when its time to load is over can be down by then.</summary>
    [Theory]
    [InlineData("10m", "60 min", "[3600s]", "offset 600s")]
    [InlineData("40m", "80 min", "[4800s]", "offset 2400s")]
    [InlineData("1h", "120 min", "[7200s]", "offset 3600s")]
    public async Task ServerThatLoadsForLong_IsKnownForLongerThanThat(string loadsFor, string words, string known, string loads)
    {
        var result = await AskAsync("a b", "a b c", "a b c", "c", loadsFor: loadsFor);

        (result.Verdict, result.Summary).ShouldBe((Verdict.Failing, $"c reported within {words} and does not answer any more."));
        _queries.ShouldContain(query => query.Contains("present_over_time", StringComparison.Ordinal) && query.Contains(known, StringComparison.Ordinal));
        _queries.ShouldContain(query => query.Contains(loads, StringComparison.Ordinal));
    }

    /// <summary>A recycled pod whose successor was never seen to answer: the two others are well all the time.</summary>
    /// <param name="since">When it did not answer either. One that did not an hour ago is no successor: it has been ill for long.</param>
    [Theory]
    [InlineData(null, "chat-7d9f8c6b5-dfghj", true, "", Verdict.Unknown)]
    [InlineData(null, "chat-7d9f8c6b5-dfghj", true, "600s", Verdict.Unknown)]
    [InlineData(null, "chat-7d9f8c6b5-dfghj", true, "600s 3600s", Verdict.Passing)]
    [InlineData(null, "chat-7d9f8c6b5-dfghj", false, "", Verdict.Passing)]
    [InlineData("chat", null, true, "600s", Verdict.Unknown)]
    [InlineData("chat", null, true, "600s 3600s", Verdict.Passing)]
    [InlineData("chat", null, true, "", Verdict.Passing)]
    [InlineData(null, null, true, "600s", Verdict.Passing)]
    public async Task ServerThatNeverAnswered_KeepsTheOthersFromPassing(string? deployment, string? pod, bool isDown, string since, Verdict verdict)
    {
        const string New = "chat-7d9f8c6b5-fghjk";
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            string[] pods = query.Contains("pod=\"", StringComparison.Ordinal) ? []
                : !query.Contains("up{", StringComparison.Ordinal) ? ["chat-7d9f8c6b5-bcdfg", "chat-7d9f8c6b5-cdfgh"]
                : isDown && (!query.Contains(" offset ", StringComparison.Ordinal) || since.Split(' ').Any(ago => query.Contains($" offset {ago} ", StringComparison.Ordinal))) ? [New] : [];
            return PrometheusAnswers.WriteAsync(context, pods.Select(name => ((object)new { @namespace = "lab", pod = name }, new[] { (1, "0") })));
        };

        var result = await _server.AskAsync("tgi.health", new { @namespace = "lab", deployment, pod });

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.Contains($"but {New} does not answer: gone, or loading its model.", StringComparison.Ordinal).ShouldBe(verdict == Verdict.Unknown, result.Summary);
    }

    [Fact]
    public async Task OldServerOfARolloutThatIsOnItsWayOut_IsNotDown() =>
        (await AskAsync("a b", "x y a b", "x y", down: "x", longDown: "")).Verdict.ShouldBe(Verdict.Passing);

    [Fact]
    public async Task PartThatIsGone_IsNamedAsOthersAre() =>
        (await AskAsync("a b", "a b c", "a b c", "c", "triton.health")).Summary.ShouldBe("c (model m) reported within 60 min and does not answer any more.");
}

/// <summary>The same in the sandbox, where a real query finds it.</summary>
public sealed class ScaledDownTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus().AddModelServers();

    [Fact]
    public async Task ScaledDownServer_IsForgottenAfterTheWindow()
    {
        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        Clock.Advance(TimeSpan.FromMinutes(2));
        (await AskAsync("vllm.health", new { @namespace = "inference" })).Verdict.ShouldBe(Verdict.Passing, "another of the same name is there");

        await PatchAsync("/kubernetes/b/apis/apps/v1/namespaces/inference/statefulsets/llm-b", """{"spec":{"replicas":1}}""");
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await AskAsync("vllm.health", new { @namespace = "inference" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldContain("llm-b-1 (engine 0) is gone, and fewer report than 5 min ago: lost, or scaled down."));

        Clock.Advance(TimeSpan.FromMinutes(6));
        (await AskAsync("vllm.health", new { @namespace = "inference" })).Verdict.ShouldBe(Verdict.Passing);
    }
}
