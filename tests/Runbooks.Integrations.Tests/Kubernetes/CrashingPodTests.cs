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

    /// <summary>What prepares the pod fails, as the download of a model does: meanwhile its containers wait, and nothing of them tells why.</summary>
    [Theory]
    [InlineData("""{"waiting":{"reason":"CrashLoopBackOff"}}""", Verdict.Failing, "init container storage-initializer: CrashLoopBackOff.")]
    [InlineData("""{"terminated":{"exitCode":1,"reason":"Error"}}""", Verdict.Failing, "init container storage-initializer: Error.")]
    [InlineData("""{"running":{}}""", Verdict.Unknown, "vllm is not started yet (PodInitializing), 6 min after its machine got it.")]
    public async Task InitContainerThatFails_IsToldAndFailing(string state, Verdict verdict, string words)
    {
        var result = await AskAsync(
            """{ "initContainers": [{ "name": "storage-initializer" }], "containers": [{ "name": "vllm" }] }""",
            $$"""
            {
              "phase": "Pending", "startTime": "{{_server.Time.GetUtcNow().AddMinutes(-6):yyyy-MM-ddTHH:mm:ssZ}}",
              "conditions": [{ "type": "Initialized", "status": "False" }, { "type": "Ready", "status": "False" }],
              "initContainerStatuses": [{ {{Named("storage-initializer", 5)}}, "ready": false, "state": {{state}}, "lastState": { "terminated": { "exitCode": 1, "reason": "Error" } } }],
              "containerStatuses": [{ {{Named("vllm", 0)}}, "ready": false, "state": { "waiting": { "reason": "PodInitializing" } } }]
            }
            """,
            quietFor: 0);

        (result.Verdict, result.Summary).ShouldBe((verdict, $"llm-b-0: Pending, not ready, 5 restarts (last: Error); {words}"));
    }

    /// <summary>Kubernetes has it among those that prepare the pod, and it runs for as long as the others. One that did prepare it is over.</summary>
    [Theory]
    [InlineData("Always", Verdict.Unknown, "9 restarts (last: OOMKilled); proxy was started anew 20 s ago after OOMKilled, so whether it stays is not known yet.")]
    [InlineData(null, Verdict.Passing, "no restarts.")]
    public async Task SidecarThatWasJustStartedAnew_DoesNotPassYet(string? restarts, Verdict verdict, string words)
    {
        var started = $$"""{ "running": { "startedAt": "{{_server.Time.GetUtcNow().AddSeconds(-20):yyyy-MM-ddTHH:mm:ssZ}}" } }""";
        var result = await AskAsync(
            $$"""{ "initContainers": [{ "name": "proxy"{{(restarts is null ? "" : $", \"restartPolicy\": \"{restarts}\"")}} }], "containers": [{ "name": "vllm" }] }""",
            $$"""
            {
              "phase": "Running", "conditions": [{ "type": "Initialized", "status": "True" }, { "type": "Ready", "status": "True" }],
              "initContainerStatuses": [{ {{Named("proxy", 9)}}, "ready": true, "state": {{started}}, "lastState": { "terminated": { "exitCode": 137, "reason": "OOMKilled" } } }],
              "containerStatuses": [{ {{Named("vllm", 0)}}, "ready": true, "state": {{started}} }]
            }
            """,
            quietFor: 0);

        (result.Verdict, result.Summary).ShouldBe((verdict, $"llm-b-0: Running, ready, {words}"));
    }

    private static string Named(string name, int restarts) => $"\"name\": \"{name}\", \"restartCount\": {restarts}, \"image\": \"i\", \"imageID\": \"i\"";

    private Task<CheckResult> AskAsync(int seconds, string lastState, int quietFor, bool ready = true, string started = "true") => AskAsync(
        """{ "containers": [{ "name": "vllm" }] }""",
        $$"""
        {
          "phase": "Running", "conditions": [{ "type": "Ready", "status": "{{ready}}" }],
          "containerStatuses": [{
            {{Named("vllm", lastState == "{}" ? 0 : 1)}}, "ready": {{(ready ? "true" : "false")}}, "started": {{started}},
            "state": { "running": { "startedAt": "{{_server.Time.GetUtcNow().AddSeconds(-seconds):yyyy-MM-ddTHH:mm:ssZ}}" } }, "lastState": {{lastState}}
          }]
        }
        """,
        quietFor);

    private async Task<CheckResult> AskAsync(string spec, string status, int quietFor)
    {
        var now = _server.Time.GetUtcNow();
        _server.Answer = context =>
        {
            if (context.Request.Path.Value!.EndsWith("/log", StringComparison.Ordinal))
            {
                return context.Response.WriteAsync($"{now.AddSeconds(-10):yyyy-MM-ddTHH:mm:ssZ} loading\n");
            }

            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync($$"""{ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "llm-b-0", "namespace": "inference", "uid": "u" }, "spec": {{spec}}, "status": {{status}} }""");
        };
        await using var services = _server.Services(services => services.AddKubernetes(), ("Kubernetes:Clusters:b:Server", _server.Url));
        var check = services.GetServices<ICheck>().Single(one => one.Name == "kubernetes.pod");
        var with = new PodCheckParameters { Namespace = "inference", Pod = "llm-b-0", QuietFor = TimeSpan.FromSeconds(quietFor) };
        return await check.AskAsync(with, _server.Step(), TestContext.Current.CancellationToken);
    }
}
