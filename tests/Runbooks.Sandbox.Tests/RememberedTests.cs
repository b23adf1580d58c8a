using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox.Tests;

/// <summary>What was done to the sandbox is there again after a restart on the same file, however it ended.</summary>
public sealed class RememberedTests : IDisposable
{
    private const string Arm = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers";
    private const string Pod = "/kubernetes/b/api/v1/namespaces/inference/pods";
    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 24, 3, 0, 0, TimeSpan.Zero));

    private string StateFile => Path.Combine(_folder, "sandbox.json");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Restart_KeepsWhatWasMendedAndWhatWasChanged()
    {
        string mended, key, boot;
        await using (var first = await StartAsync())
        {
            using var http = new HttpClient { BaseAddress = first.BaseAddress };
            await http.DeleteAsync($"{Pod}/llm-b-0", Cancel);
            await http.DeleteAsync($"{Pod}/llm-b-9", Cancel);
            _clock.Advance(TimeSpan.FromSeconds(3));
            mended = await UidAsync(http, "llm-b-0");
            var before = await BootAsync(http);
            var reimage = await http.PostAsync("/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/mc_rg-inference-b_aks-b_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-gpu-24815391-vmss/virtualMachines/1/reimage?api-version=2024-07-01", null, Cancel);
            _clock.Advance(TimeSpan.FromSeconds(1));
            await http.GetAsync(reimage.Headers.GetValues("Azure-AsyncOperation").Single(), Cancel);
            _clock.Advance(TimeSpan.FromSeconds(2));
            boot = await BootAsync(http);
            boot.ShouldNotBe(before);
            await PatchAsync(http, "/kubernetes/b/api/v1/nodes/aks-gpu-24815391-vmss000002", """{"spec":{"unschedulable":true}}""");
            await PatchAsync(http, "/kubernetes/b/apis/apps/v1/namespaces/chat/deployments/chat-vllm/scale", """{"spec":{"replicas":4}}""");
            await http.PutAsJsonAsync("/appconfiguration/kv/banner?api-version=2023-11-01", new { value = "hello" }, Cancel);
            key = await http.GetStringAsync("/appconfiguration/kv/banner?api-version=2023-11-01", Cancel);
            await http.PatchAsJsonAsync($"{Arm}/Microsoft.Web/sites/web?api-version=2025-03-01", new { properties = new { state = "Stopped" } }, Cancel);
            await http.PostAsJsonAsync("/provider/_outage", new { down = false }, Cancel);
            await http.PostAsJsonAsync("/exporters/_gauges", new { metric = "vllm:num_requests_waiting", pod = "llm-b-1", value = 7 }, Cancel);
        }

        await using var second = await StartAsync();
        using var again = new HttpClient { BaseAddress = second.BaseAddress };
        (await UidAsync(again, "llm-b-0")).ShouldBe(mended);
        (await BootAsync(again)).ShouldBe(boot);
        var state = (await again.GetFromJsonAsync<JsonElement>("/_sandbox/state", Cancel)).GetProperty("apis");
        var cluster = state.GetProperty("kubernetes").GetProperty("b");
        cluster.GetProperty("deletions").GetInt32().ShouldBe(2);
        cluster.GetProperty("pods").EnumerateArray().Where(pod => pod.GetProperty("hung").GetBoolean()).ShouldBeEmpty();
        cluster.GetProperty("nodes").EnumerateArray().Count(node => node.GetProperty("unschedulable").GetBoolean()).ShouldBe(1);
        cluster.GetProperty("workloads").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "chat-vllm").GetProperty("replicas").GetInt32().ShouldBe(4);
        (await again.GetStringAsync("/appconfiguration/kv/banner?api-version=2023-11-01", Cancel)).ShouldBe(key);
        (await again.GetStringAsync($"{Arm}/Microsoft.Web/sites/web?api-version=2025-03-01", Cancel)).ShouldContain("Stopped");
        state.GetProperty("provider").GetProperty("down").GetBoolean().ShouldBeFalse();
        (await again.GetStringAsync("/exporters/vllm/inference/llm-b-1/metrics", Cancel)).ShouldContain("vllm:num_requests_waiting{engine=\"0\",model_name=\"practice-large\"} 7.0\n");
    }

    [Fact]
    public async Task Trouble_GoesOnWhereItWas()
    {
        await using (var first = await StartAsync())
        {
            using var http = new HttpClient { BaseAddress = first.BaseAddress };
            await http.GetAsync("/provider/v1/models", Cancel);
        }

        _clock.Advance(TimeSpan.FromMinutes(4));
        await using var second = await StartAsync();
        using var again = new HttpClient { BaseAddress = second.BaseAddress };
        again.DefaultRequestHeaders.Authorization = new("Bearer", "practice");

        (await again.GetAsync("/provider/v1/models", Cancel)).IsSuccessStatusCode.ShouldBeTrue("the outage began before the restart");
    }

    [Fact]
    public async Task UnreadableFile_IsLaidAsideAndTheSandboxBeginsAnew()
    {
        await File.WriteAllTextAsync(StateFile, "{ torn", Cancel);

        await using var sandbox = await StartAsync();
        using var http = new HttpClient { BaseAddress = sandbox.BaseAddress };

        (await UidAsync(http, "llm-b-0")).ShouldNotBeEmpty();
        File.Exists(StateFile + ".unreadable").ShouldBeTrue();
    }

    private Task<SandboxServer> StartAsync() => SandboxServer.StartAsync(new SandboxOptions { Port = 0, Time = _clock, StateFile = StateFile }, Cancel);

    private static async Task<string> UidAsync(HttpClient http, string pod) =>
        (await http.GetFromJsonAsync<JsonElement>($"{Pod}/{pod}", Cancel)).GetProperty("metadata").GetProperty("uid").GetString()!;

    private static async Task<string> BootAsync(HttpClient http) =>
        (await http.GetFromJsonAsync<JsonElement>("/kubernetes/b/api/v1/nodes/aks-gpu-24815391-vmss000001", Cancel)).GetProperty("status").GetProperty("nodeInfo").GetProperty("bootID").GetString()!;

    private static async Task PatchAsync(HttpClient http, string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/merge-patch+json")) };
        (await http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();
    }
}
