using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using RunbookServer.Tests.EndToEnd;
using TestKit;

namespace RunbookServer.Tests.Telemetry;

/// <summary>What a collector gets of one story, on either store; the process is killed while a person thinks.</summary>
public sealed class TraceTests(Azurite azurite) : IClassFixture<Azurite>
{
    private const string SenderTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string SenderSpan = "00f067aa0ba902b7";

    private static readonly string[] s_asked = ["check gpu-memory", "check stalled", "check zombie", "intake", "notification"];
    private static readonly string[] s_whole = [.. s_asked, "check stalled", "check zombie", "close", "decision", "incident", "notification", "step recycle", "step ticket", "verification"];

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task KilledWhileAPersonThinks_OneTraceWithTheTimesOfTheRecord(bool inAccount, bool senderTraces)
    {
        await using var collector = await OtlpReceiver.StartAsync();
        await using var host = await CrashingHost.StartAsync(inAccount ? azurite.ConnectionString : null, collector.Variables);
        var id = await host.UntilAsync(client => OpenAsync(client, senderTraces));
        await host.UntilAsync(client => ComesToAsync(client, id, "awaitingApproval"));
        await collector.UntilAsync(spans => s_asked.Except(spans.Select(span => span.Name)).ToList().Count == 0);

        host.Kill();
        await host.UntilAsync(async client => (await client.DecideAsync(id, "approve")).Status == HttpStatusCode.OK ? id : null);
        var incident = await host.UntilAsync(client => ComesToAsync(client, id, "resolved"));
        var spans = await collector.UntilAsync(spans => s_whole.Except(spans.Select(span => span.Name)).ToList().Count == 0 && spans.Count >= s_whole.Length);

        // One trace, of the sender or of the incident's own, with every span once below the incident's.
        var root = spans.Single(span => span.Name == "incident");
        root.TraceId.ShouldBe(senderTraces ? SenderTrace : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 16)));
        root.Parent.ShouldBe(senderTraces ? SenderSpan : "");
        incident["traceId"]!.ToString().ShouldBe(root.TraceId);
        spans.ShouldAllBe(span => span.TraceId == root.TraceId && (span == root || span.Parent == root.Id) && span.Service == "runbooks-of-a-test" && !span.Failed);
        spans.Select(span => span.Id).ShouldBeUnique();
        spans.Select(span => span.Name).Where(name => name != "notification").Order(StringComparer.Ordinal)
            .ShouldBe(s_whole.Where(name => name != "notification").Order(StringComparer.Ordinal));
        spans.ShouldAllBe(span => span.Attributes["runbook.incident.id"] == id && span.Attributes["runbook.id"] == "hanged-gpu" && span.Attributes["runbook.target"] == "b/inference/llm-b-700");

        // The wait for the person began before the process was killed, and ended after it.
        var gate = incident["gates"]![0]!;
        Times("decision").ShouldBe((Time(gate["openedAt"]), Time(gate["closedAt"])));
        Times("incident").ShouldBe((Time(incident["openedAt"]), Time(incident["closedAt"])));
        Times("step recycle").ShouldBe((Time(incident["steps"]![0]!["startedAt"]), Time(incident["steps"]![0]!["finishedAt"])));
        root.Attributes["runbook.outcome"].ShouldBe("resolved");
        spans.Single(span => span.Name == "decision").Attributes["runbook.outcome"].ShouldBe("approved");
        spans.Select(span => string.Join(' ', span.Attributes.Values)).ShouldAllBe(text => !text.Contains("ada", StringComparison.Ordinal));

        (DateTimeOffset, DateTimeOffset) Times(string name) => spans.Single(span => span.Name == name) is var span ? (span.Began, span.Ended) : default;
    }

    /// <summary>A collector that takes connections and answers nothing.</summary>
    [Fact]
    public async Task CollectorThatHangs_HoldsUpNoIncident()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var host = await CrashingHost.StartAsync(variables: new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{silent.LocalEndpoint}", ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", ["OTEL_BSP_SCHEDULE_DELAY"] = "10", ["OTEL_METRIC_EXPORT_INTERVAL"] = "50",
        });

        (await CrashStory.TellAsync(host, "llm-b-701")).ShouldBe(CrashStory.Told);
        silent.Pending().ShouldBeTrue("it was tried");
    }

    private static DateTimeOffset Time(JsonNode? time) => time!.GetValue<DateTimeOffset>();

    private static async Task<string?> OpenAsync(HostClient client, bool traced)
    {
        using var post = new HttpRequestMessage(HttpMethod.Post, "api/alerts/alertmanager") { Content = new StringContent(SomeAlert.Stuck("llm-b-700"), Encoding.UTF8, "application/json") };
        if (traced)
        {
            // A sender may not sample its own request; the incident is kept all the same.
            post.Headers.Add("traceparent", $"00-{SenderTrace}-{SenderSpan}-00");
        }

        using var response = await client.Http.SendAsync(post, TestContext.Current.CancellationToken);
        return response.StatusCode == HttpStatusCode.Accepted ? JsonNode.Parse(await response.Content.ReadAsStringAsync())!["incidents"]![0]!["id"]!.ToString() : null;
    }

    private static async Task<JsonNode?> ComesToAsync(HostClient client, string id, string state) =>
        await client.GetAsync($"api/incidents/{id}?waitFor={state}&timeout=20") is var incident && incident["state"]!.ToString() == state ? incident : null;
}
