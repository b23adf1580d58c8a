using System.Net;

namespace Runbooks.Sandbox.Tests;

public sealed class FaultTests : OnVirtualSandbox
{
    private const string Healthy = "/prometheus/-/healthy";

    private async Task<int> AskAsync(string path = Healthy) => (int)(await Http.GetAsync(path, Cancel)).StatusCode;

    [Fact]
    public async Task Fault_MeetsAsManyRequestsAsItCounts()
    {
        await FaultAsync(new { api = "prometheus", kind = "503", count = 2, skip = 1 });

        (await AskAsync(), await AskAsync(), await AskAsync(), await AskAsync()).ShouldBe((200, 503, 503, 200));
    }

    [Fact]
    public async Task Fault_LeavesOtherApisAlone()
    {
        await FaultAsync(new { api = "kubernetes", kind = "500" });

        (await AskAsync()).ShouldBe(200);
    }

    [Fact]
    public async Task FaultOnAPath_MeetsThatPathOnly()
    {
        await FaultAsync(new { api = "prometheus", kind = "500", on = "GET /prometheus/metrics" });

        (await AskAsync(), await AskAsync("/prometheus/metrics")).ShouldBe((200, 500));
    }

    [Fact]
    public async Task Unreachable_BreaksTheConnection()
    {
        await FaultAsync(new { api = "prometheus", kind = "unreachable" });

        await Should.ThrowAsync<HttpRequestException>(() => AskAsync());
    }

    [Fact]
    public async Task Slow_AnswersWhenItsTimeHasPassed()
    {
        await FaultAsync(new { api = "prometheus", kind = "slow", seconds = 5 });
        var asked = AskAsync();
        while ((await JsonAsync("/_sandbox/state")).GetProperty("requests").GetArrayLength() == 0)
        {
            await Task.Yield();
        }

        asked.IsCompleted.ShouldBeFalse();
        while (!asked.IsCompleted)
        {
            Clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        (await asked).ShouldBe(200);
    }

    [Theory]
    [InlineData("{\"api\":\"toaster\",\"kind\":\"500\"}", "must be one of: kubernetes")]
    [InlineData("{\"api\":\"kubernetes\",\"kind\":\"sad\"}", "'kind' must be")]
    [InlineData("{\"api\":\"kubernetes\",\"kind\":\"500\",\"count\":0}", "'count'")]
    [InlineData("{\"api\":\"kubernetes\",\"kind\":\"500\",\"often\":1}", "often")]
    [InlineData("{\"api\":\"arm\",\"kind\":\"denied\"}", "'denied' needs 'on'")]
    [InlineData("{\"api\":\"prometheus\",\"kind\":\"denied\",\"on\":\"query\"}", "know no permissions")]
    [InlineData("nonsense", "Example:")]
    public async Task WrongFault_IsRefusedWithTheRemedy(string body, string words)
    {
        var answer = await Http.PostAsync("/_sandbox/faults", new StringContent(body), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain(words);
    }

    [Fact]
    public async Task Reset_ClearsFaultsAndState()
    {
        await FaultAsync(new { api = "prometheus", kind = "500" });
        await Http.GetAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-77", Cancel);

        (await Http.PostAsync("/_sandbox/reset", null, Cancel)).EnsureSuccessStatusCode();

        var state = await JsonAsync("/_sandbox/state");
        state.GetProperty("faults").GetArrayLength().ShouldBe(0);
        state.GetProperty("apis").ToString().ShouldNotContain("llm-b-77");
        (await AskAsync()).ShouldBe(200);
    }
}
