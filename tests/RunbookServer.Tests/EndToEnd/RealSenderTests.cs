using System.Net;
using System.Text.Json.Nodes;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

public sealed class RealSenderTests
{
    [Fact]
    public async Task PrometheusRuleFires_OneIncidentFoldedRepeatsThenResolved()
    {
        Assert.SkipUnless(AlertingStack.IsInstalled, "Debian's packages prometheus and prometheus-alertmanager are not installed here.");
        await using var host = await RunningHost.StartAsync();
        using var sender = AlertingStack.Start(host);

        var id = (await UntilAsync(host, incident => incident["state"]!.ToString() == "awaitingApproval"))["id"]!.ToString();
        await UntilAsync(host, incident => incident["alertCount"]!.GetValue<int>() >= 3);
        (await host.Client.DecideAsync(id, "approve")).Status.ShouldBe(HttpStatusCode.OK);
        await host.Client.WaitForAsync(id, "resolved");

        var told = await UntilAsync(host, incident => incident["alertResolvedAt"] is not null);
        told["id"]!.ToString().ShouldBe(id);
        told["target"]!.ToString().ShouldBe("b/inference/llm-b-0");
        told["state"]!.ToString().ShouldBe("resolved");
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(1);
    }

    /// <summary>The only incident there is, once it is so. The senders live in real time, so this looks again and again.</summary>
    private static async Task<JsonNode> UntilAsync(RunningHost host, Func<JsonNode, bool> met)
    {
        JsonNode? incident = null;
        return await Patience.UntilAsync(
            async () =>
            {
                if ((await host.Client.GetAsync("api/incidents"))["incidents"]!.AsArray() is { Count: > 0 } all)
                {
                    incident = await host.Client.GetAsync($"api/incidents/{all.ShouldHaveSingleItem()!["id"]}");
                    return met(incident) ? incident : null;
                }

                return null;
            },
            () => $"The senders did not bring it to that, but to: {incident?.ToJsonString()}");
    }
}
