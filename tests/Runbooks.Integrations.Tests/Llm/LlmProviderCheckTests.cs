using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Llm;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Llm;

public sealed class LlmProviderCheckTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddLlmProvider();

    private Task<CheckResult> AskAsync(string ask = "models") => AskAsync("llm.provider", new { ask });

    private Task<HttpResponseMessage> OutageAsync(bool down) => Http.PostAsJsonAsync("/provider/_outage", new { down }, Cancel);

    [Fact]
    public async Task Outage_IsFailingUntilItIsOver()
    {
        var down = await AskAsync();
        Clock.Advance(TimeSpan.FromMinutes(3));
        var up = await AskAsync();

        (down.Verdict, down.Summary).ShouldBe((Verdict.Failing, "practice is failing: 503 Service Unavailable; it asks to wait 20 s."));
        (up.Verdict, up.Summary).ShouldBe((Verdict.Passing, "practice answered 200 in 0 ms."));
    }

    [Fact]
    public async Task Completion_ProvesMore()
    {
        await OutageAsync(false);

        (await AskAsync("completion")).Verdict.ShouldBe(Verdict.Passing);

        var (request, body) = (await SentAsync())[^1];
        request.ShouldBe("POST /provider/v1/chat/completions");
        body.ShouldBeGolden("completion");
    }

    [Theory]
    [InlineData("429", Verdict.Failing, "too many requests")]
    [InlineData("500", Verdict.Failing, "is failing: 500")]
    [InlineData("unreachable", Verdict.Failing, "cannot be reached")]
    [InlineData("401", Verdict.Unknown, "refuses our key")]
    [InlineData("403", Verdict.Unknown, "refuses our key")]
    [InlineData("404", Verdict.Unknown, "says nothing about its health")]
    public async Task Fault_IsToldFromTheOthers(string fault, Verdict verdict, string words)
    {
        await OutageAsync(false);
        await FaultAsync("provider", fault);

        var result = await AskAsync();

        result.Verdict.ShouldBe(verdict);
        result.Summary.ShouldContain(words);
    }

    [Fact]
    public async Task Silence_IsFailingAfterTheTimeout()
    {
        await FaultAsync("provider", "slow");
        var asked = AskAsync("llm.provider", new { timeout = "5s" });
        while (!(await RequestsAsync()).Any(request => request.Contains("models")))
        {
            await Task.Yield();
        }

        Clock.Advance(TimeSpan.FromSeconds(5));

        (await asked).Summary.ShouldBe("practice did not answer within 5 s.");
    }
}
