using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Gpu;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Gpu;

public sealed class GpuHealthTests : OnTheSandbox
{
    private const string Sound = "aks-gpu-24815391-vmss000000";

    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus().AddGpu();

    private Task<CheckResult> AskAsync(string node) => AskAsync("gpu.health", new { node });

    private async Task SetAsync(string metric, double value) =>
        (await Http.PostAsJsonAsync("/exporters/_gauges", new { metric, value }, Cancel)).EnsureSuccessStatusCode();

    [Fact]
    public async Task FatalXid_IsFailingAndInWords()
    {
        var result = await AskAsync("aks-gpu-24815391-vmss000002");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("GPU 3: XID 79 (the GPU has fallen off the bus).");
        result.Value.ShouldBe("XID 79");
    }

    [Fact]
    public async Task SoundNode_IsPassing() => (await AskAsync(Sound)).Summary.ShouldBe("8 GPUs: no XID, no failed row remap.");

    [Theory]
    [InlineData(45, Verdict.Passing, "XID 45 (preemptive cleanup after another error, or a program that was killed)")]
    [InlineData(31, Verdict.Passing, "XID 31 (memory page fault)")]
    [InlineData(63, Verdict.Passing, "XID 63 (a memory row was remapped)")]
    [InlineData(94, Verdict.Passing, "XID 94 (contained memory error)")]
    [InlineData(777, Verdict.Passing, "XID 777 (not in our list; see NVIDIA's catalogue)")]
    [InlineData(48, Verdict.Failing, "XID 48 (double-bit memory error)")]
    [InlineData(95, Verdict.Failing, "XID 95 (uncontained memory error)")]
    [InlineData(119, Verdict.Failing, "does not answer")]
    public async Task Xid_MeansWhatTheCatalogueSays(int xid, Verdict verdict, string words)
    {
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", xid);

        var result = await AskAsync(Sound);

        result.Verdict.ShouldBe(verdict);
        result.Summary.ShouldContain(words);
    }

    [Fact]
    public async Task RowThatCouldNotBeRemapped_IsFailing()
    {
        await SetAsync("DCGM_FI_DEV_ROW_REMAP_FAILURE", 1);

        (await AskAsync(Sound)).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldContain("GPU 0: a memory row could not be remapped"));
    }

    [Theory]
    [InlineData("aks-pool-17503362-vmss000000")]
    [InlineData("nobody")]
    public async Task NodeWithoutExporter_IsUnknownAndNamesTheSeries(string node)
    {
        var result = await AskAsync(node);

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldBe($"Prometheus 'practice' has no series DCGM_FI_DEV_XID_ERRORS of node {node}: is its dcgm-exporter still running?");
    }
}
