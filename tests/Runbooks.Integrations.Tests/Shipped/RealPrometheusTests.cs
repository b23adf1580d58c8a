using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using TestKit.Storage;
using Runbooks.Storage;
using TestKit;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>
/// Debian's Prometheus scrapes the sandbox's exporters and answers the checks of the shipped runbooks: the queries run in
/// the real PromQL, on data in the exporters' real shapes. The sandbox's own Prometheus must say the same.
/// </summary>
public sealed class RealPrometheusTests : IAsyncDisposable
{
    private const string Program = "/usr/bin/prometheus";
    private static readonly string[] s_asked = ["prometheus.query", "vllm.health", "gpu.health", "llm.latency"];

    /// <summary>What hangs, and what is well, on the model servers that no shipped runbook asks about.</summary>
    private static readonly (string Check, string Pod, Verdict Verdict)[] s_others =
    [
        ("tgi.health", "summarizer-6c9d7f5b84-x2x4v", Verdict.Failing), ("tgi.health", "summarizer-6c9d7f5b84-k9q7d", Verdict.Passing),
        ("triton.health", "ranker-5d8b6c7f94-x2x4v", Verdict.Failing), ("triton.health", "ranker-5d8b6c7f94-k9q7d", Verdict.Passing),
    ];

    /// <summary>What the shipped runbooks are asked about: sick first, then healthy.</summary>
    private static readonly Dictionary<string, string>[] s_labels =
    [
        new() { ["cluster"] = "b", ["namespace"] = "inference", ["pod"] = "llm-b-0", ["node"] = "aks-gpu-24815391-vmss000002", ["deployment"] = "chat-vllm" },
        new() { ["cluster"] = "b", ["namespace"] = "inference", ["pod"] = "llm-b-1", ["node"] = "aks-gpu-24815391-vmss000000", ["deployment"] = "chat-vllm" },
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("prometheus-").FullName;
    private Process? _prometheus;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_prometheus is not null)
        {
            _prometheus.Kill();
            await _prometheus.WaitForExitAsync(CancellationToken.None);
            _prometheus.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task ShippedChecks_AreAnsweredByTheRealPrometheusAsByTheSandbox()
    {
        Assert.SkipUnless(File.Exists(Program), "Debian's package prometheus is not installed here.");
        await using var sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0 }, Cancel);
        var address = await ScrapeAsync(sandbox.BaseAddress);
        await using var real = Services(sandbox.BaseAddress, new Dictionary<string, string?> { ["Prometheus:Endpoints:practice:Url"] = address.ToString() });
        await using var own = Services(sandbox.BaseAddress, []);

        var checks = Shipped(real).ToList();
        checks.Count.ShouldBeGreaterThan(1);
        foreach (var (name, check, with) in checks)
        {
            foreach (var labels in s_labels)
            {
                // The servers of a deployment are in a namespace of their own.
                labels["namespace"] = with.Contains("{{ labels.deployment }}", StringComparison.Ordinal) ? "chat" : "inference";
                var there = await AskAsync(real, check, with, labels);
                var here = await AskAsync(own, check, with, labels);
                if (check != "llm.latency")
                {
                    // Of the servers that it is asked about one hangs, which nobody can put in seconds.
                    there.Verdict.ShouldNotBe(Verdict.Unknown, $"{name}: {there.Summary}");
                }

                there.Verdict.ShouldBe(here.Verdict, $"{name}: {there.Summary}; {here.Summary}");
            }
        }

        foreach (var (check, pod, verdict) in s_others)
        {
            var with = $$"""{"namespace":"lab","pod":"{{pod}}","window":"30s"}""";
            (await AskAsync(real, check, with, [])).ShouldSatisfyAllConditions(answer => answer.Verdict.ShouldBe(verdict, $"{check}: {answer.Summary}"));
            (await AskAsync(own, check, with, [])).Verdict.ShouldBe(verdict, check);
        }

        (await AskAsync(real, "vllm.health", """{"namespace":"inference","pod":"llm-b-0","window":"30s"}""", [])).Verdict.ShouldBe(Verdict.Failing);
        (await AskAsync(real, "vllm.health", """{"namespace":"inference","pod":"llm-b-0","window":"5m"}""", [])).Summary.ShouldContain("but of the last 5 min it has reported for ");
        (await AskAsync(real, "vllm.health", """{"namespace":"inference","pod":"llm-b-1"}""", [])).Verdict.ShouldBe(Verdict.Passing);
        (await AskAsync(real, "gpu.health", """{"node":"aks-gpu-24815391-vmss000002"}""", [])).Summary.ShouldBe("GPU 3: XID 79 (the GPU has fallen off the bus).");
        (await AskAsync(real, "gpu.health", """{"node":"aks-gpu-24815391-vmss000000"}""", [])).Verdict.ShouldBe(Verdict.Passing);
        (await AskAsync(real, "llm.latency", """{"namespace":"inference","pod":"llm-b-1","failing":"> 3"}""", [])).Verdict.ShouldBe(Verdict.Passing);
        (await AskAsync(real, "prometheus.query", """{"query":"DCGM_FI_DEV_FB_USED_PERCENT","failing":"> 0.95"}""", [])).Summary.ShouldContain("has no series named DCGM_FI_DEV_FB_USED_PERCENT");
    }

    /// <summary>Until every target was scraped often enough for a quantile (of fewer requests one more or less in a bucket moves it), and for most of half a minute.</summary>
    private async Task<Uri> ScrapeAsync(Uri sandbox)
    {
        var port = FreePort.Next();
        await File.WriteAllTextAsync(Path.Combine(_folder, "prometheus.yml"), $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s }
            scrape_configs:
              - job_name: sandbox
                http_sd_configs: [{ url: "{{sandbox}}exporters/targets", refresh_interval: 1s }]
            """, Cancel);
        _prometheus = Process.Start(new ProcessStartInfo(
            Program, [$"--config.file={_folder}/prometheus.yml", $"--web.listen-address=127.0.0.1:{port}", $"--storage.tsdb.path={_folder}/data", "--log.level=error"]))!;
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        return await Patience.UntilAsync(
            async () =>
            {
                try
                {
                    var answer = JsonNode.Parse(await http.GetStringAsync("/api/v1/query?query=" + Uri.EscapeDataString("count(count_over_time(vllm:num_requests_running[1m]) >= 26)"), Cancel))!;
                    return answer["data"]!["result"]!.AsArray() is [var result] && (string?)result!["value"]![1] == "6" ? http.BaseAddress : null;
                }
                catch (HttpRequestException)
                {
                    return null; // It is still starting.
                }
            },
            () => "Prometheus did not scrape the sandbox.",
            TimeSpan.FromMilliseconds(200));
    }

    private static ServiceProvider Services(Uri sandbox, Dictionary<string, string?> more) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(SandboxSettings.For(sandbox)).AddInMemoryCollection(more).Build())
        .AddSingleton(TimeProvider.System).AddLogging().AddRunbookCatalog().AddIntegrations().BuildServiceProvider();

    private static IEnumerable<(string Name, string Check, string With)> Shipped(ServiceProvider services)
    {
        var catalog = services.GetRequiredService<RunbookCatalog>();
        catalog.Load(Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "runbooks"), "*.yaml").Select(file => new RunbookFile(Path.GetFileName(file), File.ReadAllText(file)) { Samples = SampleFolder.Read(Path.GetDirectoryName(file)!) })).Errors.ShouldBeEmpty();
        return from runbook in catalog.Current
               from spec in runbook.Diagnosis
               where s_asked.Contains(spec.Check)
               // What hangs is known once it was seen for most of the window, and this Prometheus is half a minute old.
               select ($"{runbook.Id}/{spec.Name}", spec.Check, spec.Check == "vllm.health" ? spec.With.GetRawText().Replace("\"5m\"", "\"30s\"", StringComparison.Ordinal) : spec.With.GetRawText());
    }

    private static Task<CheckResult> AskAsync(ServiceProvider services, string check, string with, Dictionary<string, string> labels)
    {
        foreach (var (label, value) in labels)
        {
            with = with.Replace($"{{{{ labels.{label} }}}}", value, StringComparison.Ordinal);
        }

        var found = services.GetRequiredService<StepCatalog>().FindCheck(check).ShouldNotBeNull();
        var bound = ParameterBinder.Bind(JsonNode.Parse(with)!.AsObject(), found.ParametersType);
        bound.Errors.ShouldBeEmpty(with);
        return found.AskAsync(bound.Value!, new StepContext
        {
            IncidentId = "inc-1",
            RunbookId = "shipped",
            Target = "x",
            IdempotencyKey = "x",
            Evidence = new InMemoryEvidenceStore(),
            Time = TimeProvider.System,
        }, Cancel);
    }
}
