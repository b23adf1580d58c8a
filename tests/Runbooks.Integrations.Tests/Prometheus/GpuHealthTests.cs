using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Prometheus;

public sealed class GpuHealthTests : OnTheSandbox
{
    private const string Sound = "aks-gpu-24815391-vmss000000";

    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus().AddGpu();

    private Task<CheckResult> AskAsync(string node) => AskAsync("gpu.health", new { node });

    /// <param name="value">Null: as the exporter has it of itself.</param>
    private async Task SetAsync(string metric, double? value) =>
        (await Http.PostAsJsonAsync("/exporters/_gauges", new { metric, value }, Cancel)).EnsureSuccessStatusCode();

    private async Task ReimageAsync(string node)
    {
        await ChangeAsync(HttpMethod.Post, $"/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/mc_rg-inference-b_aks-b_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-gpu-24815391-vmss/virtualMachines/{node[^1]}/reimage", new { });
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", null);
        Clock.Advance(TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task FatalXid_IsFailingAndInWords()
    {
        var result = await AskAsync("aks-gpu-24815391-vmss000002");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("GPU 3: XID 79 (the GPU has fallen off the bus).");
        result.Value.ShouldBe("XID 79");
    }

    /// <summary>People copy the line: what it leaves out never starts the runbook, and of several GPUs the highest number is not the worst.</summary>
    [Fact]
    public void AlertThatTheRunbookShows_FiresForAllThatIsFatal()
    {
        var rule = string.Join(' ', File.ReadLines(Path.Combine(AppContext.BaseDirectory, "runbooks", "gpu-node-fault.yaml")).TakeWhile(line => line != "trigger:"));

        Regex.Matches(rule, "XID_ERRORS == ([0-9]+)").Select(match => int.Parse(match.Groups[1].Value, null))
            .ShouldBe(Enumerable.Range(0, 1000).Where(code => XidCatalog.ClassOf(code) == XidClass.Fatal));
    }

    [Fact]
    public async Task SoundNode_IsPassing() => (await AskAsync(Sound)).Summary.ShouldBe("8 GPUs: no XID, no failed row remap.");

    [Theory]
    [InlineData(45, Verdict.Passing, "XID 45 (preemptive cleanup after another error, or a program that was killed)")]
    [InlineData(31, Verdict.Passing, "XID 31 (memory page fault)")]
    [InlineData(63, Verdict.Passing, "XID 63 (a memory row was remapped)")]
    [InlineData(94, Verdict.Passing, "XID 94 (contained memory error)")]
    [InlineData(85, Verdict.Passing, "XID 85 (copy engine exception)")]
    [InlineData(777, Verdict.Unknown, "XID 777 (not in our list, so whether it is fatal is not known; see NVIDIA's catalogue)")]
    [InlineData(149, Verdict.Unknown, "XID 149 (NVLink error; whether it is fatal stands in the kernel's log)")]
    [InlineData(154, Verdict.Failing, "XID 154 (the driver calls for a reset, a reboot or a drain)")]
    [InlineData(109, Verdict.Failing, "XID 109 (context switch timeout)")]
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
    public async Task FatalXidThatAnotherFollowed_IsStillFailing_UntilTheWindowEnds()
    {
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 79);
        Clock.Advance(TimeSpan.FromMinutes(5));
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 45);
        Clock.Advance(TimeSpan.FromMinutes(10));

        var result = await AskAsync(Sound);
        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldContain("GPU 0: XID 79 (the GPU has fallen off the bus)");
        result.Summary.ShouldContain("GPU 0: XID 45");
        result.Value.ShouldBe("XID 79, 45");

        Clock.Advance(TimeSpan.FromMinutes(51));
        (await AskAsync(Sound)).Verdict.ShouldBe(Verdict.Passing, "what is left of the hour is XID 45 alone");
    }

    [Theory]
    [InlineData(0d)]
    [InlineData(null)]
    public async Task ExporterThatWasStartedAnew_TakesNoFatalXidAway(double? xid)
    {
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 119);
        Clock.Advance(TimeSpan.FromMinutes(5));
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", xid);
        Clock.Advance(TimeSpan.FromMinutes(1));

        (await AskAsync(Sound)).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldContain("GPU 3: XID 119 (the GPU's system processor (GSP) does not answer) until 03:04 UTC and not since, though the GPU was not started anew; most likely its exporter was, which forgets it"));
    }

    [Fact]
    public async Task ExporterThatWasStartedAnew_MayForgetAHarmlessXid()
    {
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 31);
        Clock.Advance(TimeSpan.FromMinutes(5));
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", null);
        Clock.Advance(TimeSpan.FromMinutes(1));

        (await AskAsync(Sound)).Verdict.ShouldBe(Verdict.Passing);
    }

    [Fact]
    public async Task MachineThatWasMadeAnew_HasNoXidAnyMore()
    {
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 119);
        Clock.Advance(TimeSpan.FromMinutes(5));

        await ReimageAsync(Sound);

        (await AskAsync(Sound)).Summary.ShouldBe("8 GPUs: no XID, no failed row remap.");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(180)]
    public async Task GpuThatHadFallenOffTheBusAndAnswersAgain_IsPassing(int minutes)
    {
        const string Broken = "aks-gpu-24815391-vmss000002";
        Clock.Advance(TimeSpan.FromMinutes(minutes));
        (await AskAsync(Broken)).Verdict.ShouldBe(Verdict.Failing);

        await ReimageAsync(Broken);

        (await AskAsync(Broken)).Summary.ShouldBe("8 GPUs: no XID, no failed row remap.");
    }

    [Fact]
    public async Task XidThatIsUnclear_StaysSoWhenAHarmlessOneFollows()
    {
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 149);
        Clock.Advance(TimeSpan.FromMinutes(5));
        await SetAsync("DCGM_FI_DEV_XID_ERRORS", 45);
        Clock.Advance(TimeSpan.FromMinutes(10));

        (await AskAsync(Sound)).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Value.ShouldBe("XID 149, 45"));
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
        result.Summary.ShouldBe($"Prometheus 'practice' has no series DCGM_FI_DEV_XID_ERRORS or DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION of node {node}: is its dcgm-exporter still running?");
    }
}

/// <summary>Exporters that differ from the sandbox's: one whose list has the NVLink counters, one that lost a GPU.</summary>
public sealed class OtherExporterTests : WithServer
{
    [Theory]
    [InlineData(7, 2, Verdict.Failing, "GPU 5: NVLink errors within 60 min.")]
    [InlineData(7, 0, Verdict.Passing, "1 GPU: no XID, no failed row remap.")]
    [InlineData(0, 2, Verdict.Passing, "1 GPU: no XID, no failed row remap.")]
    public async Task LinkErrors_CountWhenTheyGrewAndWereNotReset(int counter, int growth, Verdict verdict, string words)
    {
        // Of the NVLink query only the counters that grew, and that are not 0 now, are left.
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            var value = !query.Contains("NVLINK", StringComparison.Ordinal) ? 0
                : query.Contains("increase(DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL{Hostname=\"n\"}[3600s])", StringComparison.Ordinal) && query.Contains("> 0) and (sum by (gpu)", StringComparison.Ordinal)
                    ? Math.Min(counter, growth) : counter;
            return PrometheusAnswers.WriteAsync(context, [(new { gpu = "5" }, [(1, $"{value}")])]);
        };
        var result = await AskAsync();

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    [Theory]
    [InlineData(true, true, "", Verdict.Failing, "GPU 1: XID 79 (the GPU has fallen off the bus); GPU 1: no longer reported, and it was within 60 min.")]
    [InlineData(false, true, "", Verdict.Passing, "1 GPU: no XID. Whether a row remap failed is not reported.")]
    [InlineData(false, false, "0", Verdict.Unknown, "GPU 1: whether a row remap failed is not reported, and of the others it is.")]
    public async Task WhatIsGone_IsNoSignOfHealth(bool wasThere, bool isGone, string remaps, Verdict verdict, string words)
    {
        static (object, (int, string)[]) Series(string gpu, params (int, string)[] points) => (new { gpu }, points);
        _server.Answer = context =>
        {
            var (query, isRange) = (PrometheusAnswers.QueryOf(context), PrometheusAnswers.IsRange(context));
            List<(object, (int, string)[])> found = [];
            if (query.Contains("XID", StringComparison.Ordinal))
            {
                found.Add(isRange ? Series("0", (1, "0"), (2, "0")) : Series("0", (3, "0")));
                if (isRange ? wasThere : !isGone)
                {
                    found.Add(isRange ? Series("1", (1, "0"), (2, "79")) : Series("1", (3, "0")));
                }
            }
            else if (query.Contains("ROW_REMAP_FAILURE", StringComparison.Ordinal) && remaps.Length > 0)
            {
                found.Add(Series(remaps, (3, "0")));
            }

            return PrometheusAnswers.WriteAsync(context, found);
        };

        var result = await AskAsync();

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    private const string Xid = "XID_ERRORS";
    private const string Energy = "TOTAL_ENERGY_CONSUMPTION";

    /// <param name="reported">By a part of the metric's name: the values of GPU 0 a minute apart, of which the last is now; <c>-</c> where there was none.</param>
    private Task<CheckResult> AskAsync(string reported)
    {
        var values = reported.Split(';').Select(one => one.Split('=')).ToDictionary(one => one[0], one => one[1].Split(' '));
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            var points = (values.FirstOrDefault(one => query.Contains(one.Key, StringComparison.Ordinal)).Value ?? []).Select((value, i) => (At: 60 * (i + 1), Value: value)).ToList();
            var shown = (PrometheusAnswers.IsRange(context) ? points.SkipLast(1) : points.TakeLast(1)).Where(point => point.Value != "-").ToArray();
            return PrometheusAnswers.WriteAsync(context, shown.Length == 0 ? [] : [(new { gpu = "0" }, shown)]);
        };
        return AskAsync();
    }

    [Theory]
    // Without the energy nobody can tell the GPU's start from the exporter's.
    [InlineData($"{Xid}=119 119 0 0", Verdict.Unknown, "GPU 0: XID 119 (the GPU's system processor (GSP) does not answer) until 00:02 UTC and not since, and whether the GPU or only its exporter was started anew is not reported (DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION)")]
    [InlineData($"{Xid}=119 119 0 0;{Energy}=900 910 920 930", Verdict.Unknown, "though the GPU was not started anew")]
    [InlineData($"{Xid}=119 119 - -;{Energy}=900 910 920 930", Verdict.Unknown, "though the GPU was not started anew")]
    [InlineData($"{Xid}=119 119 0 0;{Energy}=900 910 3 5", Verdict.Passing, "1 GPU: no XID.")]
    [InlineData($"{Xid}=119 119 - -;{Energy}=900 910 3 950", Verdict.Passing, "1 GPU: no XID.")]
    [InlineData($"{Xid}=79 79 - -;{Energy}=- - 3 5", Verdict.Passing, "1 GPU: no XID.")]
    [InlineData($"{Xid}=79 79 - 48;{Energy}=900 - 3 5", Verdict.Failing, "GPU 0: XID 48 (double-bit memory error).")]
    // It was forgotten, and another came.
    [InlineData($"{Xid}=119 - 45 45;{Energy}=900 910 920 930", Verdict.Failing, "GPU 0: XID 119")]
    public async Task XidThatIsNoLongerReported_IsOverOnlyWhereTheGpuWasStartedAnew(string reported, Verdict verdict, string words)
    {
        var result = await AskAsync(reported);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldContain(words);
    }

    [Theory]
    [InlineData($"{Energy}=900 910", Verdict.Unknown, "1 GPU; whether there was an XID is not reported. Is DCGM_FI_DEV_XID_ERRORS in the list of its dcgm-exporter?")]
    [InlineData($"{Energy}=900 910;ROW_REMAP_FAILURE=0 0", Verdict.Passing, "1 GPU: no XID, no failed row remap.")]
    [InlineData($"{Energy}=900 910;PCIE_REPLAY=0 0", Verdict.Passing, "1 GPU: no XID. Whether a row remap failed is not reported.")]
    [InlineData($"{Xid}=0 0", Verdict.Passing, "1 GPU: no XID. Whether a row remap failed is not reported.")]
    [InlineData($"{Energy}=900 -;ROW_REMAP_FAILURE=- -", Verdict.Unknown, "has no series DCGM_FI_DEV_XID_ERRORS or DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION of node n")]
    public async Task GpuWithoutAnXid_IsSoundOnlyWhereOneWouldBeReported(string reported, Verdict verdict, string words)
    {
        var result = await AskAsync(reported);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldContain(words);
    }

    private Task<CheckResult> AskAsync() => _server.AskAsync("gpu.health", new { node = "n" });
}
