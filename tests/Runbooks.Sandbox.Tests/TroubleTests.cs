using System.Net;

namespace Runbooks.Sandbox.Tests;

/// <summary>What people break and heal by hand, and what the APIs say then.</summary>
public sealed class TroubleTests : OnVirtualSandbox
{
    private const string Disk = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1";

    [Fact]
    public async Task EachTrouble_IsHealedAndBrokenAgain()
    {
        var names = (await TroublesAsync()).Keys.ToList();
        names.Count.ShouldBe(9);
        foreach (var name in names)
        {
            (await TroublesAsync())[name].ShouldBeTrue(name);
            await TurnAsync(name, "heal");
            (await TroublesAsync())[name].ShouldBeFalse(name);
        }

        foreach (var name in names)
        {
            await TurnAsync(name, "break");
            (await TroublesAsync())[name].ShouldBeTrue(name);
        }
    }

    [Fact]
    public async Task WhatTheApisSay_FollowsWhatWasHealedAndBroken()
    {
        Http.DefaultRequestHeaders.Authorization = new("Bearer", "practice");
        (await Http.GetAsync("/provider/v1/models", Cancel)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await TurnAsync("provider", "heal");
        (await Http.GetAsync("/provider/v1/models", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await TurnAsync("hung-pod", "heal");
        (await HungAsync()).ShouldBeEmpty();
        await TurnAsync("hung-pod", "break");
        (await HungAsync()).ShouldBe(["llm-b-0"]);

        await Http.GetAsync($"{Disk}?api-version=2025-04-01", Cancel);
        await TurnAsync("disk", "heal");
        (await TempFilesAsync()).ShouldBe(0);
        await TurnAsync("disk", "break");
        (await TempFilesAsync()).ShouldBeGreaterThan(0);
    }

    /// <summary>curl -d names no JSON.</summary>
    [Theory]
    [InlineData("/provider/_outage", """{"down":false}""", 204)]
    [InlineData("/provider/_outage", "", 400)]
    [InlineData("/tls/_renew", """{"days":90}""", 204)]
    [InlineData("/tls/_renew", "", 204)]
    [InlineData("/tls/_renew", """{"day":90}""", 400)]
    [InlineData("/exporters/_gauges", """{"metric":"vllm:num_requests_waiting","value":1}""", 204)]
    [InlineData("/_sandbox/faults", """{"api":"tls","kind":"slow"}""", 204)]
    [InlineData("/_sandbox/faults", "{", 400)]
    public async Task WhatIsPostedToPractise_IsReadWhateverItsContentType(string path, string body, int status)
    {
        using var form = new StringContent(body, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");

        ((int)(await Http.PostAsync(path, form, Cancel)).StatusCode).ShouldBe(status);
    }

    [Fact]
    public async Task TroubleThatThereIsNot_IsRefused() =>
        (await Http.PostAsync("/_sandbox/troubles/rain/break", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    private async Task<Dictionary<string, bool>> TroublesAsync() =>
        (await JsonAsync("/_sandbox/troubles")).EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!, one => one.GetProperty("on").GetBoolean());

    private async Task TurnAsync(string name, string turn) => (await Http.PostAsync($"/_sandbox/troubles/{name}/{turn}", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

    private async Task<int> TempFilesAsync() => (await JsonAsync("/_sandbox/state")).GetProperty("apis").GetProperty("arm").GetProperty("resources")
        .GetProperty("microsoft.compute/virtualmachines").EnumerateObject().Single().Value.GetProperty("_disk").GetProperty("tempFiles").GetInt32();

    private async Task<IEnumerable<string>> HungAsync() => (await JsonAsync("/_sandbox/state")).GetProperty("apis").GetProperty("kubernetes").GetProperty("b").GetProperty("pods")
        .EnumerateArray().Where(pod => pod.GetProperty("hung").GetBoolean()).Select(pod => pod.GetProperty("name").GetString()!);
}
