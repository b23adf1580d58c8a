using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Prometheus;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Gpu;

/// <summary>
/// Looks at the GPUs of a node through dcgm-exporter: XID errors by NVIDIA's catalogue, memory rows that could not be
/// remapped, and NVLink errors where the exporter's list has them. The exporter tells only a GPU's last XID, and the one
/// that matters is often followed by others, so all of a time are looked at. A GPU that has fallen off the bus is not
/// reported at all any more: one that was there in this time and is gone is the worst sign.
/// </summary>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/blob/4.5.3-4.8.2/etc/default-counters.csv"/>
internal sealed class GpuHealth(PrometheusClient prometheus)
    : PrometheusCheck<GpuHealthParameters>(prometheus, "gpu.health", "Looks for fatal XID errors, failed row remaps and NVLink errors on the GPUs of a node.")
{
    private const int MostSteps = 240;
    private const string Xid = "DCGM_FI_DEV_XID_ERRORS";
    private const string RemapFailure = "DCGM_FI_DEV_ROW_REMAP_FAILURE";
    private const string Uncorrectable = "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS";
    private static readonly string[] s_nvLink = [.. new[] { "CRC_FLIT", "CRC_DATA", "REPLAY", "RECOVERY" }.Select(kind => $"DCGM_FI_DEV_NVLINK_{kind}_ERROR_COUNT_TOTAL")];

    protected override async Task<CheckResult> LookAsync(GpuHealthParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        // Up to 4.5.3 the exporter writes the machine's name with a capital letter.
        string On(string metric, string around = "{0}") =>
            $"({around.Replace("{0}", $"{metric}{{Hostname=\"{parameters.Node}\"}}", StringComparison.Ordinal)} or {around.Replace("{0}", $"{metric}{{hostname=\"{parameters.Node}\"}}", StringComparison.Ordinal)})";
        var link = Prometheus.LinkTo(parameters.Endpoint, On(Xid));
        Task<IReadOnlyList<PrometheusSeries>> Ask(string query) => Prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
        var xids = await Ask($"max by (gpu) {On(Xid)}");
        if (xids.Count == 0)
        {
            var missing = await MissingSeries.FindAsync(Prometheus, parameters.Endpoint, Xid, cancellationToken);
            return CheckResult.Unknown($"Prometheus '{Prometheus.Find(parameters.Endpoint).Name}' has no series {Xid} of node {parameters.Node}"
                + (missing.Count > 0 ? ", nor of any other: is dcgm-exporter scraped?" : ": is its dcgm-exporter still running?")) with { Link = link };
        }

        var remaps = await Ask($"max by (gpu) {On(RemapFailure)}");
        var rows = await Ask($"max by (gpu) {On(Uncorrectable)}");
        // Not in the exporter's default list, so there may be none of these. They count from the last reset on, and one
        // that has been reset since is fine.
        var window = PromDuration.Of(parameters.Window);
        var links = await Ask(string.Join(" or ", s_nvLink.Select(metric => $"((sum by (gpu) {On(metric, $"increase({{0}}[{window}])")} > 0) and (sum by (gpu) {On(metric)} > 0))")));
        var now = context.Time.GetUtcNow();
        var step = TimeSpan.FromSeconds(Math.Max(15, Math.Ceiling(parameters.Window.TotalSeconds / MostSteps)));
        var earlier = await Prometheus.RangeAsync(parameters.Endpoint, $"max by (gpu) {On(Xid)}", now - parameters.Window, now, step, cancellationToken);
        var brokenLinks = Marked(links).Select(gpu => $"GPU {gpu}: NVLink errors within {PromDuration.Words(parameters.Window)}").ToList();
        var present = xids.Select(GpuOf).ToList();
        var gone = earlier.Select(GpuOf).Except(present).Order(StringComparer.Ordinal).ToList();
        var judged = Judge(xids.Count, [.. present.Concat(gone).SelectMany(gpu => Reported(gpu, xids, earlier))], Marked(remaps), Marked(rows), [.. gone.Select(gpu => $"GPU {gpu}: no longer reported, and it was within {PromDuration.Words(parameters.Window)}")], brokenLinks, remaps.Count > 0);
        return Limited(judged, [.. present.Except(remaps.Select(GpuOf))], remaps.Count > 0) with { Link = link };
    }

    /// <summary>Older GPUs have no rows to remap, so none of them has the figure; where others of the node have it, one that lacks it may be the one that failed.</summary>
    private static CheckResult Limited(CheckResult judged, List<string> unmeasured, bool othersAreMeasured) => judged switch
    {
        { Verdict: not Verdict.Passing } => judged,
        _ when unmeasured.Count == 0 => judged,
        _ when othersAreMeasured => judged with { Verdict = Verdict.Unknown, Summary = $"GPU {string.Join(", ", unmeasured)}: whether a row remap failed is not reported, and of the others it is." },
        _ => judged with { Summary = $"{judged.Summary} Whether a row remap failed is not reported." },
    };

    /// <summary>What a GPU has reported in the time looked at, in order and each once. A reset of the GPU clears it.</summary>
    private static IEnumerable<(string Gpu, int Code)> Reported(string gpu, IReadOnlyList<PrometheusSeries> now, IReadOnlyList<PrometheusSeries> earlier)
    {
        var values = earlier.Concat(now).Where(series => GpuOf(series) == gpu).SelectMany(series => series.Values).ToList();
        return values.Skip(values.LastIndexOf(0) + 1).Select(value => (int)value).Distinct().Select(code => (gpu, code));
    }

    private static CheckResult Judge(int gpus, List<(string Gpu, int Code)> codes, List<string> broken, List<string> remapped, List<string> gone, List<string> links, bool remapsKnown)
    {
        var fatal = codes.Where(one => XidCatalog.ClassOf(one.Code) == XidClass.Fatal)
            .Select(one => $"GPU {one.Gpu}: {XidCatalog.Words(one.Code)}")
            .Concat(gone)
            .Concat(broken.Select(gpu => $"GPU {gpu}: a memory row could not be remapped"))
            .Concat(links)
            .ToList();
        var others = codes.Where(one => XidCatalog.ClassOf(one.Code) != XidClass.Fatal)
            // What nobody can tell first.
            .OrderByDescending(one => XidCatalog.ClassOf(one.Code) == XidClass.Unclear)
            .Select(one => $"GPU {one.Gpu}: {XidCatalog.Words(one.Code)}")
            .Concat(remapped.Except(broken).Select(gpu => $"GPU {gpu}: memory rows were remapped; they are fine after the next reset")).ToList();
        var known = CountText.Format(gpus, "GPU");
        return (fatal.Count, others.Count) switch
        {
            ( > 0, _) => new CheckResult(Verdict.Failing, $"{string.Join("; ", fatal.Concat(others))}.") { Value = Codes(codes) },
            _ when codes.Exists(one => XidCatalog.ClassOf(one.Code) == XidClass.Unclear) => new CheckResult(Verdict.Unknown, $"{known}, nothing fatal for certain. {string.Join("; ", others)}.") { Value = Codes(codes) },
            (_, > 0) => new CheckResult(Verdict.Passing, $"{known}, nothing fatal. {string.Join("; ", others)}. Of itself none of it calls for a new machine.") { Value = Codes(codes) },
            _ => CheckResult.Passing($"{known}: no XID{(remapsKnown ? ", no failed row remap" : "")}."),
        };
    }

    private static string? Codes(List<(string Gpu, int Code)> codes) => codes.Count == 0 ? null : $"XID {string.Join(", ", codes.Select(one => one.Code).Distinct())}";

    private static List<string> Marked(IReadOnlyList<PrometheusSeries> series) => [.. series.Where(one => one.Values[^1] > 0).Select(GpuOf)];

    private static string GpuOf(PrometheusSeries series) => series.Labels.GetValueOrDefault("gpu", "?");
}

public sealed record GpuHealthParameters : PrometheusParameters
{
    [Required, KubernetesName(Subdomain = true)]
    [Description("The node, by its name in Kubernetes.")]
    public required string Node { get; init; }

    [Range(typeof(TimeSpan), "00:05:00", "1.00:00:00")]
    [Description("How far back is looked for XID and NVLink errors; what came before the GPU's last reset does not count.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromHours(1);
}
