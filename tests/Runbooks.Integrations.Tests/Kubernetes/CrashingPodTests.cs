using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>A container without a readiness probe is ready from its first second, also between two crashes.</summary>
public sealed class CrashingPodTests : WithServer
{
    [Theory]
    [InlineData(20, 0, Verdict.Unknown, "1 restart (last: OOMKilled); vllm was started anew 20 s ago after OOMKilled, so whether it stays is not known yet.")]
    [InlineData(20, 300, Verdict.Unknown, "1 restart (last: OOMKilled); last log line 10 s ago; vllm was started anew 20 s ago after OOMKilled, so whether it stays is not known yet.")]
    [InlineData(20, 5, Verdict.Failing, "1 restart (last: OOMKilled); last log line 10 s ago, longer than 5 s.")]
    [InlineData(299, 0, Verdict.Unknown, "1 restart (last: OOMKilled); vllm was started anew 4 min ago after OOMKilled, so whether it stays is not known yet.")]
    [InlineData(300, 0, Verdict.Passing, "1 restart (last: OOMKilled).")]
    public async Task ContainerThatWasJustStartedAnew_DoesNotPassYet(int seconds, int quietFor, Verdict verdict, string words)
    {
        var result = await AskAsync(seconds, """{"terminated":{"exitCode":137,"reason":"OOMKilled"}}""", quietFor);

        (result.Verdict, result.Summary).ShouldBe((verdict, $"llm-b-0: Running, ready, {words}"));
    }

    [Fact]
    public async Task NewPod_PassesAtOnce() => (await AskAsync(1, "{}", 0)).Verdict.ShouldBe(Verdict.Passing);

    /// <summary>It looks as one that hangs: not ready, and it answers nobody. To recycle it begins the load anew.</summary>
    [Theory]
    [InlineData(180, "true", Verdict.Unknown, "vllm was started 3 min ago and is not ready: it may still load.")]
    [InlineData(900, "false", Verdict.Unknown, "vllm was started 15 min ago and is not ready: it may still load.")]
    [InlineData(900, "true", Verdict.Failing, "running but not ready.")]
    public async Task ServerThatStillLoads_IsNoSignOfAHang(int seconds, string started, Verdict verdict, string words)
    {
        var result = await AskAsync(seconds, """{"terminated":{"exitCode":1,"reason":"Error"}}""", 0, ready: false, started);

        (result.Verdict, result.Summary).ShouldBe((verdict, $"llm-b-0: Running, not ready, 1 restart (last: Error); {words}"));
    }

    private async Task<CheckResult> AskAsync(int seconds, string lastState, int quietFor, bool ready = true, string started = "true")
    {
        var now = _server.Time.GetUtcNow();
        _server.Answer = context =>
        {
            if (context.Request.Path.Value!.EndsWith("/log", StringComparison.Ordinal))
            {
                return context.Response.WriteAsync($"{now.AddSeconds(-10):yyyy-MM-ddTHH:mm:ssZ} loading\n");
            }

            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync($$"""
                {
                  "apiVersion": "v1", "kind": "Pod",
                  "metadata": { "name": "llm-b-0", "namespace": "inference", "uid": "u" },
                  "spec": { "containers": [{ "name": "vllm" }] },
                  "status": {
                    "phase": "Running", "conditions": [{ "type": "Ready", "status": "{{ready}}" }],
                    "containerStatuses": [{
                      "name": "vllm", "ready": {{(ready ? "true" : "false")}}, "started": {{started}}, "restartCount": {{(lastState == "{}" ? 0 : 1)}}, "image": "vllm", "imageID": "vllm",
                      "state": { "running": { "startedAt": "{{now.AddSeconds(-seconds):yyyy-MM-ddTHH:mm:ssZ}}" } }, "lastState": {{lastState}}
                    }]
                  }
                }
                """);
        };
        await using var services = _server.Services(services => services.AddKubernetes(), ("Kubernetes:Clusters:b:Server", _server.Url));
        var check = services.GetServices<ICheck>().Single(one => one.Name == "kubernetes.pod");
        var with = new PodCheckParameters { Namespace = "inference", Pod = "llm-b-0", QuietFor = TimeSpan.FromSeconds(quietFor) };
        return await check.AskAsync(with, _server.Step(), TestContext.Current.CancellationToken);
    }
}
