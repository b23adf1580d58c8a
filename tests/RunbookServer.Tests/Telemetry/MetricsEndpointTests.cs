using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using RunbookServer.Hosting;
using RunbookServer.Tests.EndToEnd;
using TestKit;

namespace RunbookServer.Tests.Telemetry;

/// <summary><c>GET /metrics</c>, and who may have it.</summary>
public sealed class MetricsEndpointTests
{
    [Fact]
    public async Task OutsidePractice_NeedsAKeyUnlessTheSettingOpensItOrTakesItAway()
    {
        foreach (var (readers, anybody, withKey) in new[]
        {
            ("Viewer", HttpStatusCode.Unauthorized, HttpStatusCode.OK), ("Everybody", HttpStatusCode.OK, HttpStatusCode.OK), ("Nobody", HttpStatusCode.NotFound, HttpStatusCode.NotFound),
        })
        {
            await using var host = await RunningHost.StartAsync(people: People(readers));
            using var stranger = new HttpClient { BaseAddress = host.Client.Http.BaseAddress };

            (await StatusAsync(stranger)).ShouldBe(anybody, readers);
            (await StatusAsync(host.Client.Http)).ShouldBe(withKey, readers);
        }
    }

    [Fact]
    public async Task RealPrometheus_ScrapesIt()
    {
        Assert.SkipUnless(AlertingStack.IsInstalled, "Debian's package prometheus is not installed here.");
        await using var host = await RunningHost.StartAsync(people: People("Viewer"));
        var key = Path.Combine(host.DataFolder, ServerDefaults.KeyFile);
        using var prometheus = AlertingStack.Scrape($"""
            global: {"{"} scrape_interval: 1s, scrape_timeout: 1s {"}"}
            scrape_configs:
              - job_name: runbooks
                authorization: {"{"} credentials_file: {key} {"}"}
                static_configs: [{"{"} targets: ["localhost:{host.Client.Http.BaseAddress!.Port}"] {"}"}]
            """, out var address);
        (await host.Client.StuckAsync("llm-b-1"))["outcome"]!.ToString().ShouldBe("opened");

        using var client = new HttpClient { BaseAddress = address };
        string[] queries =
        [
            "runbook_incidents_opened_total{runbook_id=\"hanged-gpu\",runbook_mode=\"normal\"} >= 1",
            "histogram_quantile(0.9, rate(runbook_check_duration_seconds_bucket{runbook_id=\"hanged-gpu\"}[1m])) or runbook_check_duration_seconds_count{runbook_check=\"prometheus.query\"} >= 1",
            "http_server_request_duration_seconds_count{http_route=\"/api/alerts/{source}\"} >= 1",
        ];
        foreach (var query in queries)
        {
            await Patience.UntilAsync(() => HasAsync(client, query), () => query);
        }

        // The first of its kind is one more than before.
        const string Ignored = "runbook_alerts_total{runbook_alert_source=\"generic\",runbook_outcome=\"ignored\"}";
        await Patience.UntilAsync(() => HasAsync(client, Ignored), () => "Nothing was begun.");
        await host.Client.PostAsync("api/alerts/generic", """{"name":"NobodyKnowsIt"}""");
        await Patience.UntilAsync(() => HasAsync(client, $"increase({Ignored}[1h]) > 0"), () => "It seems never to have come.");

        foreach (var query in Dashboard())
        {
            var answer = await client.GetStringAsync(new Uri($"api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative), TestContext.Current.CancellationToken);
            JsonNode.Parse(answer)!["status"]!.ToString().ShouldBe("success", query);
        }
    }

    /// <summary>What Grafana asks, with its variables filled in.</summary>
    private static List<string> Dashboard() =>
        [.. JsonNode.Parse(File.ReadAllText(RepositoryRoot.Of("infra", "grafana", "runbooks.json")))!["panels"]!.AsArray()
            .SelectMany(panel => panel!["targets"]?.AsArray() ?? [])
            .Select(target => $"{target!["expr"]}".Replace("$runbook", ".*", StringComparison.Ordinal).Replace("$__rate_interval", "1m", StringComparison.Ordinal).Replace("$__range", "1h", StringComparison.Ordinal))];

    private static PeopleFiles People(string readers) => PeopleFiles.ByMail(9) with
    {
        Settings = new { Email = new { Host = "127.0.0.1", From = "runbooks@example.com" }, Telemetry = new { Metrics = readers } },
    };

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "metrics");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            response.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        }

        return response.StatusCode;
    }

    private static async Task<bool> HasAsync(HttpClient client, string query)
    {
        try
        {
            var answer = JsonNode.Parse(await client.GetStringAsync(new Uri($"api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative), TestContext.Current.CancellationToken))!;
            return answer["data"]!["result"]!.AsArray().Count > 0;
        }
        catch (HttpRequestException)
        {
            // It has not come up yet.
            return false;
        }
    }
}
