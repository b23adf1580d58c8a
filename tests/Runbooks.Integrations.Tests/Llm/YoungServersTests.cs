using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Llm;

/// <summary>A server that has reported twice has not hung for five minutes: it may be in its first batch.</summary>
public sealed class YoungServersTests : WithServer
{
    /// <param name="moments">At how many of twenty moments it reported; empty where that is not answered, and an error where it cannot be.</param>
    private Task<CheckResult> AskAsync(string check, string moments, object with)
    {
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            var counts = query.Contains("count_over_time(", StringComparison.Ordinal);
            if (counts && moments == "error")
            {
                context.Response.StatusCode = 400;
                return Task.CompletedTask;
            }

            var value = counts ? moments : query.Contains("rate(", StringComparison.Ordinal) ? "0" : "4";
            return PrometheusAnswers.WriteAsync(context, value.Length == 0 ? [] : [(new { @namespace = "lab", pod = "a" }, [(1, value)])]);
        };
        return _server.AskAsync(check, with);
    }

    [Theory]
    [InlineData("triton.health", "2", Verdict.Unknown, "4 wait, and no batch was executed, but of the last 5 min it has reported for 30 s only: too short to tell that the model hangs.")]
    [InlineData("vllm.health", "14", Verdict.Unknown, "4 run, 4 wait, and no token was generated, but of the last 5 min it has reported for 3.5 min only: too short to tell that the engine hangs.")]
    [InlineData("vllm.health", "16", Verdict.Failing, "4 run, 4 wait, and no token was generated for 4 min: the engine hangs.")]
    [InlineData("vllm.health", "20", Verdict.Failing, "4 run, 4 wait, and no token was generated for 5 min: the engine hangs.")]
    [InlineData("vllm.health", "21", Verdict.Failing, "4 run, 4 wait, and no token was generated for 5 min: the engine hangs.")]
    [InlineData("vllm.health", "", Verdict.Failing, "4 run, 4 wait, and no token was generated for 5 min: the engine hangs.")]
    [InlineData("vllm.health", "error", Verdict.Failing, "4 run, 4 wait, and no token was generated for 5 min: the engine hangs.")]
    public async Task WorkOfWhichNothingComes_IsAHangOnlyWhereItWasSeenLongEnough(string check, string moments, Verdict verdict, string summary)
    {
        var result = await AskAsync(check, moments, new { @namespace = "lab" });

        (result.Verdict, result.Summary).ShouldBe((verdict, summary));
    }

    /// <summary>How long the newest part is depends on how often it is scraped: by itself once a minute.</summary>
    [Theory]
    [InlineData("vllm.health", "0", Verdict.Unknown, "12 run, 12 wait, and no token was generated for 2.5 min: too short to tell that the engine hangs.")]
    [InlineData("tgi.health", "0", Verdict.Unknown, "12 run, 12 wait, and no batch was finished for 2.5 min: too short to tell that the server hangs.")]
    [InlineData("triton.health", "0", Verdict.Unknown, "12 wait, and no batch was executed for 2.5 min: too short to tell that the model hangs.")]
    [InlineData("vllm.health", "600", Verdict.Passing, "12 run, 12 wait, 630 tokens/s over 5 min.")]
    [InlineData("vllm.health", "", Verdict.Passing, "12 run, 12 wait, 630 tokens/s over 5 min.")]
    public async Task ServerOfWhichNothingHasComeLately_IsNotCalledWellForWhatItMadeBefore(string check, string lately, Verdict verdict, string summary)
    {
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            var value = query.Contains("[150s]", StringComparison.Ordinal) ? lately : query.Contains("rate(", StringComparison.Ordinal) ? "630" : "12";
            return PrometheusAnswers.WriteAsync(context, value.Length == 0 ? [] : [(new { @namespace = "lab", pod = "a" }, [(1, value)])]);
        };

        var result = await _server.AskAsync(check, new { @namespace = "lab" });

        (result.Verdict, result.Summary).ShouldBe((verdict, summary));
    }

    /// <summary>Of a counter that is there for a part of the window, the rate is too low.</summary>
    [Theory]
    [InlineData("3", Verdict.Unknown)]
    [InlineData("20", Verdict.Failing)]
    [InlineData("", Verdict.Failing)]
    [InlineData("error", Verdict.Failing)]
    public async Task ServerThatHasJustCome_IsNotCalledSlow(string moments, Verdict verdict) =>
        (await AskAsync("llm.latency", moments, new { @namespace = "lab", measure = "tokensPerSecond", failing = "< 100" })).Verdict.ShouldBe(verdict);

    /// <summary>Two scrape jobs, or two replicas of Prometheus, have the series of each engine twice; two servers in one pod differ in their port.</summary>
    [Fact]
    public async Task TokensOfAnEngine_CountOnceHoweverOftenItIsScraped()
    {
        List<string> asked = [];
        _server.Answer = context =>
        {
            lock (asked)
            {
                asked.Add(PrometheusAnswers.QueryOf(context));
            }

            return PrometheusAnswers.WriteAsync(context, []);
        };

        await _server.AskAsync("llm.latency", new { @namespace = "lab", measure = "tokensPerSecond", failing = "< 100" });

        asked.ShouldContain(query => query.StartsWith("sum(max by (pod, exported_pod, instance, engine, model_name) ((rate(vllm:generation_tokens_total{", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HowLongItReported_IsAskedOfWhatAModelsPartsHaveInCommon()
    {
        List<string> asked = [];
        _server.Answer = context =>
        {
            lock (asked)
            {
                asked.Add(PrometheusAnswers.QueryOf(context));
            }

            return PrometheusAnswers.WriteAsync(context, []);
        };

        await _server.AskAsync("triton.health", new { @namespace = "lab", window = "30s" });

        asked.ShouldContain("""(max without (gpu_uuid) (count_over_time(nv_inference_pending_request_count{namespace="lab"}[30s:2s])) or max without (gpu_uuid) (count_over_time(nv_inference_pending_request_count{exported_namespace="lab"}[30s:2s])))""");
    }
}
