using System.Net;
using System.Text.Json.Nodes;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The README's first minute.</summary>
public sealed class StoryTests
{
    [Fact]
    public async Task SampleAlertThenApproval_RecyclesThePodAndVerifiesIt()
    {
        await using var host = await RunningHost.StartAsync();
        var uid = (await SandboxView.OfAsync(host.Range)).Uid("llm-b-0");

        var outcome = await host.Client.AlertAsync("azure-monitor", SomeAlert.Sample("hanged-gpu.azure-monitor"));
        outcome["outcome"]!.ToString().ShouldBe("opened");
        var id = outcome["id"]!.ToString();
        var waiting = await host.Client.WaitForAsync(id, "awaitingApproval");
        waiting["findings"]!.AsArray().Select(finding => $"{finding!["name"]} {finding["verdict"]}").ShouldBe(["stalled failing", "zombie passing", "gpu-memory failing"]);

        await host.SettleAsync();
        var link = new Uri(await host.LinkAsync("oncall"));
        var untouched = await host.Client.GetAsync($"api/incidents/{id}");
        await ScanAsync(link, times: 10);
        JsonNode.DeepEquals(await host.Client.GetAsync($"api/incidents/{id}"), untouched).ShouldBeTrue();
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(0);

        (await PressAsync(link, "approve")).Status.ShouldBe(HttpStatusCode.OK);
        var resolved = await host.Client.WaitForAsync(id, "resolved");
        var range = await SandboxView.OfAsync(host.Range);
        range.Deletions.ShouldBe(1);
        range.Hangs("llm-b-0").ShouldBeFalse();
        range.Uid("llm-b-0").ShouldNotBe(uid);
        resolved["verification"]!.AsArray().Select(finding => $"{finding!["name"]} {finding["verdict"]}").ShouldBe(["stalled passing", "zombie passing"]);
        await ShouldKeepLogsAsync(host, id, resolved["steps"]![0]!);

        var late = await PressAsync(link, "reject");
        late.Status.ShouldBe(HttpStatusCode.Conflict);
        late.Page.ShouldContain("oncall");
        var (status, answer) = await host.Client.DecideAsync(id, "reject");
        status.ShouldBe(HttpStatusCode.Conflict);
        answer!["decidedBy"]!.AsArray().ShouldHaveSingleItem()!.ToString().ShouldBe("oncall");
        (await host.Client.GetAsync($"api/incidents/{id}"))["state"]!.ToString().ShouldBe("resolved");
    }

    [Fact]
    public async Task StartedByHand_RunsTheSameStory()
    {
        await using var host = await RunningHost.StartAsync();

        var (status, answer) = await host.Client.PostAsync("api/runbooks/hanged-gpu/incidents", """{"labels":{"cluster":"b","namespace":"inference","pod":"llm-b-7"},"by":"ada"}""");
        status.ShouldBe(HttpStatusCode.Accepted);
        var id = answer!["incidents"]![0]!["id"]!.ToString();
        (await host.Client.WaitForAsync(id, "awaitingApproval"))["startedBy"]!.ToString().ShouldBe("ada");
        (await host.Client.DecideAsync(id, "approve", "grace")).Status.ShouldBe(HttpStatusCode.OK);

        await host.Client.WaitForAsync(id, "resolved");
        (await SandboxView.OfAsync(host.Range)).Hangs("llm-b-7").ShouldBeFalse();
    }

    // As a mail scanner: without key or cookie, again and again.
    private static async Task ScanAsync(Uri link, int times)
    {
        using var scanner = new HttpClient();
        for (var i = 0; i < times; i++)
        {
            (await scanner.GetStringAsync(link, TestContext.Current.CancellationToken)).ShouldContain("Recycle pod llm-b-0?");
            using var head = await scanner.SendAsync(new HttpRequestMessage(HttpMethod.Head, link), TestContext.Current.CancellationToken);
            head.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    private static async Task<(HttpStatusCode Status, string Page)> PressAsync(Uri link, string button)
    {
        using var browser = new HttpClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["decision"] = button });
        using var answer = await browser.PostAsync(link, form, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task ShouldKeepLogsAsync(RunningHost host, string id, JsonNode step)
    {
        var evidence = step["evidence"]!.AsArray();
        evidence.ShouldNotBeEmpty();
        var name = evidence[0]!.ToString();
        var kept = await host.Client.Http.GetStringAsync(new Uri($"incidents/{id}/evidence/{name.Split('/')[1]}", UriKind.Relative), TestContext.Current.CancellationToken);
        kept.ShouldNotBeEmpty();
    }
}
