using System.Net;
using System.Net.Http.Json;

namespace Runbooks.Sandbox.Tests;

/// <summary>The exporters serve what the real ones serve, name by name: what does not exist there must not exist here.</summary>
public sealed class ExportersTests : OnVirtualSandbox
{
    private const string Vllm = "/exporters/vllm/inference/llm-b-0/metrics";
    private const string Tgi = "/exporters/tgi/lab/summarizer-6c9d7f5b84-x2x4v/metrics";
    private const string Triton = "/exporters/triton/lab/ranker-5d8b6c7f94-x2x4v/metrics";
    private const string Dcgm = "/exporters/dcgm/aks-gpu-24815391-vmss000000/metrics";
    private const string DcgmOfTheBroken = "/exporters/dcgm/aks-gpu-24815391-vmss000002/metrics";

    [Theory]
    [InlineData(Vllm, "vllm.txt")]
    [InlineData(DcgmOfTheBroken, "dcgm.txt")]
    [InlineData(Tgi, "tgi.txt")]
    [InlineData(Triton, "triton.txt")]
    public async Task Families_AreThoseOfTheRealExporter(string path, string list)
    {
        var told = (await Http.GetStringAsync(path, Cancel)).Split('\n').Where(line => line.StartsWith('#')).Chunk(2)
            .Select(pair => $"{pair[1]["# TYPE ".Length..]}: {pair[0][(pair[0].IndexOf(' ', "# HELP ".Length) + 1)..]}");

        string.Join('\n', told).ShouldBe((await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "exporters", list), Cancel)).ReplaceLineEndings("\n").TrimEnd());
    }

    [Fact]
    public async Task Line_HasTheLabelsOfTheRealExporter()
    {
        (await Http.GetStringAsync(Vllm, Cancel)).ShouldContain("\nvllm:time_to_first_token_seconds_bucket{engine=\"0\",le=\"0.001\",model_name=\"practice-large\"} ");
        (await Http.GetStringAsync(Tgi, Cancel)).ShouldSatisfyAllConditions(
            tgi => tgi.ShouldContain("\ntgi_batch_inference_success{method=\"decode\"} "),
            tgi => tgi.ShouldContain("\ntgi_request_duration_bucket{le=\"0.00015"),
            tgi => tgi.ShouldContain("\ntgi_queue_size 48\n"));
        (await Http.GetStringAsync(Triton, Cancel)).ShouldSatisfyAllConditions(
            triton => triton.ShouldContain("\nnv_inference_pending_request_count{model=\"ranker\",version=\"1\"} 48\n"),
            triton => triton.ShouldContain("\nnv_inference_exec_count{model=\"ranker\",version=\"1\"} 0\n", Case.Sensitive, "what is executed is counted for the GPU"),
            triton => triton.ShouldMatch("""\nnv_inference_exec_count\{gpu_uuid="GPU-[0-9a-f-]+",model="ranker",version="1"\} [1-9]"""),
            triton => triton.ShouldMatch("""\nnv_inference_pending_request_count\{gpu_uuid="GPU-[0-9a-f-]+",model="ranker",version="1"\} 0\n"""),
            triton => triton.ShouldContain("\nnv_inference_request_failure{model=\"ranker\",reason=\"BACKEND\",version=\"1\"} 0\n"));
        (await Http.GetStringAsync(Dcgm, Cancel)).ShouldMatch(
            """\nDCGM_FI_DEV_FB_USED\{gpu="\d",UUID="GPU-[0-9a-f-]+",pci_bus_id="[0-9a-f:.]+",device="nvidia\d",modelName="NVIDIA A100-SXM4-80GB",Hostname="aks-gpu-24815391-vmss000000",DCGM_FI_DRIVER_VERSION="[0-9.]+",container="vllm",namespace="inference",pod="llm-b-0",pod_uid=""\} 79823\n""");
    }

    [Fact]
    public async Task GpuThatHadNoXid_HasNoSuchSeries()
    {
        (await Http.GetStringAsync(Dcgm, Cancel)).ShouldNotContain("DCGM_FI_DEV_XID_ERRORS");
        (await Http.GetStringAsync(DcgmOfTheBroken, Cancel)).Split('\n').Where(line => line.StartsWith("DCGM_FI_DEV_XID_ERRORS{", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("gpu=\"3\"");
    }

    [Fact]
    public async Task PodThatIsNotReady_CannotBeScraped()
    {
        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        Clock.Advance(TimeSpan.FromSeconds(1));

        (await Http.GetAsync(Vllm, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await Http.GetStringAsync("/exporters/targets", Cancel)).ShouldNotContain(Vllm);
    }

    [Fact]
    public async Task GaugeThatIsSet_HasThatValueUntilItIsGivenFree()
    {
        await SetAsync(new { metric = "vllm:num_requests_waiting", pod = "llm-b-1", value = 40 });
        (await Http.GetStringAsync(Vllm.Replace("llm-b-0", "llm-b-1"), Cancel)).ShouldContain("\nvllm:num_requests_waiting{engine=\"0\",model_name=\"practice-large\"} 40.0\n");
        (await Http.GetStringAsync(Vllm, Cancel)).ShouldContain("\nvllm:num_requests_waiting{engine=\"0\",model_name=\"practice-large\"} 48.0\n");

        await SetAsync(new { metric = "vllm:num_requests_waiting", pod = "llm-b-1" });
        (await Http.GetStringAsync(Vllm.Replace("llm-b-0", "llm-b-1"), Cancel)).ShouldContain("\nvllm:num_requests_waiting{engine=\"0\",model_name=\"practice-large\"} 0.0\n");
    }

    [Theory]
    [InlineData("DCGM_FI_DEV_FB_USED_PERCENT", "No exporter has a gauge 'DCGM_FI_DEV_FB_USED_PERCENT'")]
    [InlineData("vllm:generation_tokens_total", "No exporter has a gauge 'vllm:generation_tokens_total'")]
    public async Task GaugeThatNoExporterHas_IsRefused(string metric, string words)
    {
        var answer = await Http.PostAsJsonAsync("/exporters/_gauges", new { metric, value = 1 }, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain(words);
    }

    private async Task SetAsync(object gauge) => (await Http.PostAsJsonAsync("/exporters/_gauges", gauge, Cancel)).EnsureSuccessStatusCode();
}
