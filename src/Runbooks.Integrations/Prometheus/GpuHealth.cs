namespace Runbooks.Integrations.Prometheus;

/// <summary>
/// Looks at the GPUs of a node through dcgm-exporter: XID errors by NVIDIA's catalogue, memory rows that could not be remapped, and
/// NVLink errors where the exporter's list has them. The exporter reports only a GPU's last XID, and the one that matters is often
/// followed by others, so all of a time are looked at. A GPU that has fallen off the bus reports at most its XID, and nothing once
/// the exporter is restarted: one that was there in this time and is gone is the worst sign.
/// </summary>
/// <remarks>Older exporters report XID 0 for a GPU that had none; newer ones have no such series.</remarks>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/blob/4.5.3-4.8.2/etc/default-counters.csv"/>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/issues/700"/>
internal sealed class GpuHealth(PrometheusClient prometheus)
    : PrometheusCheck<GpuHealthParameters>(
        prometheus, "gpu.health", "Looks for fatal XID errors, failed row remaps and NVLink errors on the GPUs of a node.")
{
    /// <summary>In the exporter's default list, and reported for every GPU that answers.</summary>
    public const string Energy = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION";
    private const int MostSteps = 240;
    private const string Xid = "DCGM_FI_DEV_XID_ERRORS";
    private const string Replays = "DCGM_FI_DEV_PCIE_REPLAY_COUNTER";
    private const string RemapFailure = "DCGM_FI_DEV_ROW_REMAP_FAILURE";
    private const string Uncorrectable = "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS";
    private static readonly string[] s_nvLink =
        [.. new[] { "CRC_FLIT", "CRC_DATA", "REPLAY", "RECOVERY" }.Select(kind => $"DCGM_FI_DEV_NVLINK_{kind}_ERROR_COUNT_TOTAL")];

    protected override async Task<CheckResult> MeasureAsync(
        GpuHealthParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        // Up to 4.5.3 the exporter writes the label for the machine's name with a capital letter.
        string Selected(string metric, string label, string around) =>
            around.Replace(
                "{0}", $"{metric}{{{label}=\"{parameters.Node}\"{ClusterLabel.Matcher(parameters.Cluster)}}}", StringComparison.Ordinal);
        string On(string metric, string around = "{0}") =>
            $"({Selected(metric, "Hostname", around)} or {Selected(metric, "hostname", around)})";
        string OfGpus(string metric) => $"max by ({ClusterLabel.Name}, gpu) {On(metric)}";
        var now = context.Time.GetUtcNow();
        var step = TimeSpan.FromSeconds(Math.Max(15, Math.Ceiling(parameters.Window.TotalSeconds / MostSteps)));
        Task<IReadOnlyList<PrometheusSeries>> Ask(string query) => Prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
        Task<IReadOnlyList<PrometheusSeries>> AskBefore(string query) =>
            Prometheus.RangeAsync(parameters.Endpoint, query, now - parameters.Window, now, step, cancellationToken);
        var (xids, energy) = (await Ask(OfGpus(Xid)), await Ask(OfGpus(Energy)));
        var (remaps, rows) = (await Ask(OfGpus(RemapFailure)), await Ask(OfGpus(Uncorrectable)));
        var link = Prometheus.LinkTo(parameters.Endpoint, On(Xid));
        List<PrometheusSeries> told = [.. xids, .. energy, .. remaps];
        var present = told.Select(GpuOf).Distinct(StringComparer.Ordinal).ToList();
        if (present.Count == 0)
        {
            var missing = await MissingSeries.FindAsync(Prometheus, parameters.Endpoint, Energy, cancellationToken);
            var name = Prometheus.Find(parameters.Endpoint).Name;
            return CheckResult.Unknown($"Prometheus '{name}' has no series {Xid} or {Energy} of node {parameters.Node}"
                + (missing.Count > 0 ? ", nor of any other: is dcgm-exporter scraped?" : ": is its dcgm-exporter still running?")) with { Link = link };
        }

        // These are not in the exporter's default list, so there may be none. They count from the last reset on, and a link that has
        // been reset since is fine.
        var window = PromDuration.Of(parameters.Window);
        string Broken(string metric) =>
            $"((sum by (gpu) {On(metric, $"increase({{0}}[{window}])")} > 0) and (sum by (gpu) {On(metric)} > 0))";
        var links = await Ask(string.Join(" or ", s_nvLink.Select(Broken)));
        var (xidsBefore, energyBefore) = (await AskBefore(OfGpus(Xid)), await AskBefore(OfGpus(Energy)));
        ClusterLabel.RequireOne(told.Concat(xidsBefore).Concat(energyBefore), $"of node {parameters.Node}");
        var gone = xidsBefore.Concat(energyBefore).Select(GpuOf).Except(present).Order(StringComparer.Ordinal).ToList();
        List<string> forgotten = [];
        List<(string Gpu, int Code)> codes = [];
        foreach (var gpu in present.Concat(gone).Order(StringComparer.Ordinal))
        {
            var history = new GpuHistory(gpu, xidsBefore, xids, energyBefore.Concat(energy));
            if (!gone.Contains(gpu) && history.Forgotten is { } words)
            {
                forgotten.Add(words);
            }
            else
            {
                codes.AddRange(history.Codes.Select(code => (gpu, code)));
            }
        }

        var judged = new NodeFindings
        {
            Gpus = present.Count,
            Codes = codes,
            Forgotten = forgotten,
            FailedRemaps = Marked(remaps),
            Remaps = Marked(rows),
            Gone = [.. gone.Select(gpu => $"GPU {gpu}: no longer reported, and it was within {PromDuration.Format(parameters.Window)}")],
            BrokenLinks = [.. Marked(links).Select(gpu => $"GPU {gpu}: NVLink errors within {PromDuration.Format(parameters.Window)}")],
            Unmeasured = [.. present.Except(remaps.Select(GpuOf))],
        }.Judge();
        // Where no GPU had an XID there is no such series. Another series of the exporter's list shows that there could be one.
        var couldTell = xids.Count + xidsBefore.Count + remaps.Count > 0 || (await Ask(OfGpus(Replays))).Count > 0;
        if (judged.Verdict == Verdict.Passing && !couldTell)
        {
            judged = judged with
            {
                Verdict = Verdict.Unknown,
                Summary = $"{CountText.Format(present.Count, "GPU")}; whether there was an XID is not reported. "
                    + $"Is {Xid} in the list of its dcgm-exporter?",
            };
        }

        return judged with { Link = link };
    }

    private static List<string> Marked(IReadOnlyList<PrometheusSeries> series) =>
        [.. series.Where(one => one.Values[^1] > 0).Select(GpuOf)];

    public static string GpuOf(PrometheusSeries series) => series.Labels.GetValueOrDefault("gpu", "?");

    private sealed record NodeFindings
    {
        public required int Gpus { get; init; }

        public required List<(string Gpu, int Code)> Codes { get; init; }

        /// <summary>In words: the GPUs of which the exporter may have forgotten an XID.</summary>
        public required List<string> Forgotten { get; init; }

        public required List<string> FailedRemaps { get; init; }

        public required List<string> Remaps { get; init; }

        public required List<string> Gone { get; init; }

        public required List<string> BrokenLinks { get; init; }

        /// <summary>The GPUs without a report on whether a row remap failed.</summary>
        public required List<string> Unmeasured { get; init; }

        private bool AreRemapsMeasured => Unmeasured.Count < Gpus;

        public CheckResult Judge() => JudgeReported() switch
        {
            var judged when judged.Verdict != Verdict.Passing || Unmeasured.Count == 0 => judged,
            // Older GPUs have no rows to remap, so none of them has the figure. Where others of the node have it, one without it may
            // be the one that failed.
            var judged when AreRemapsMeasured => judged with
            {
                Verdict = Verdict.Unknown,
                Summary = $"GPU {string.Join(", ", Unmeasured)}: whether a row remap failed is not reported, and of the others it is.",
            },
            var judged => judged with { Summary = $"{judged.Summary} Whether a row remap failed is not reported." },
        };

        private CheckResult JudgeReported()
        {
            var fatal = Codes.Where(one => XidCatalog.ClassOf(one.Code) == XidClass.Fatal)
                .Select(one => $"GPU {one.Gpu}: {XidCatalog.Describe(one.Code)}")
                .Concat(Gone)
                .Concat(FailedRemaps.Select(gpu => $"GPU {gpu}: a memory row could not be remapped"))
                .Concat(BrokenLinks)
                .ToList();
            // What nobody can tell comes first.
            var others = Forgotten
                .Concat(Codes.Where(one => XidCatalog.ClassOf(one.Code) != XidClass.Fatal)
                    .OrderByDescending(one => XidCatalog.ClassOf(one.Code) == XidClass.Unclear)
                    .Select(one => $"GPU {one.Gpu}: {XidCatalog.Describe(one.Code)}"))
                .Concat(Remaps.Except(FailedRemaps)
                    .Select(gpu => $"GPU {gpu}: memory rows were remapped; they are fine after the next reset"))
                .ToList();
            var known = CountText.Format(Gpus, "GPU");
            return (fatal.Count, others.Count) switch
            {
                ( > 0, _) => new CheckResult(Verdict.Failing, $"{string.Join("; ", fatal.Concat(others))}.") { Value = CodesText },
                _ when Forgotten.Count > 0 || Codes.Exists(one => XidCatalog.ClassOf(one.Code) == XidClass.Unclear) => new CheckResult(
                    Verdict.Unknown, $"{known}, nothing fatal for certain. {string.Join("; ", others)}.") { Value = CodesText },
                (_, > 0) => new CheckResult(
                    Verdict.Passing,
                    $"{known}, nothing fatal. {string.Join("; ", others)}. Of itself none of it calls for a new machine.") { Value = CodesText },
                _ => CheckResult.Passing($"{known}: no XID{(AreRemapsMeasured ? ", no failed row remap" : "")}."),
            };
        }

        private string? CodesText => Codes.Count == 0 ? null : $"XID {string.Join(", ", Codes.Select(one => one.Code).Distinct())}";
    }
}

public sealed record GpuHealthParameters : ClusterSeriesParameters
{
    [Required, KubernetesName(Subdomain = true)]
    [Description("The node, by its name in Kubernetes.")]
    public required string Node { get; init; }

    [Range(typeof(TimeSpan), "00:05:00", "1.00:00:00")]
    [Description("How far back is looked for XID and NVLink errors; what came before the GPU was last started anew does not count.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>
/// What one GPU has reported in the time looked at. When the exporter restarts, it forgets the XIDs, and the GPU stays as it was.
/// A restart of the GPU itself shows in its count of energy, which begins with the driver.
/// </summary>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/issues/500"/>
/// <seealso href="https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html"/>
internal sealed class GpuHistory
{
    private readonly List<Point> _xids;
    private readonly List<Point> _energy;
    private readonly bool _isToldNow;

    /// <param name="xids">What all GPUs reported, the earlier series first; the same goes for the energy.</param>
    public GpuHistory(
        string gpu, IReadOnlyList<PrometheusSeries> xids, IReadOnlyList<PrometheusSeries> xidsNow, IEnumerable<PrometheusSeries> energy)
    {
        Gpu = gpu;
        _energy = PointsOf(gpu, energy);
        var reported = PointsOf(gpu, xids.Concat(xidsNow)).Where(point => point.Value != 0).ToList();
        var startedAt = StartedAt(reported);
        _xids = startedAt is null ? reported : [.. reported.Where(point => point.At >= startedAt)];
        _isToldNow = PointsOf(gpu, xidsNow).Exists(point => point.Value != 0);
    }

    public string Gpu { get; }

    /// <summary>Since the GPU was last restarted, in order and each once.</summary>
    public IReadOnlyList<int> Codes => [.. _xids.Select(point => (int)point.Value).Distinct()];

    /// <summary>What was reported and is no longer, in words, where the GPU may still be ill; null for nothing.</summary>
    public string? Forgotten
    {
        get
        {
            var ill = Codes.Where(code => XidCatalog.ClassOf(code) is XidClass.Fatal or XidClass.Unclear).ToList();
            if (_isToldNow || ill.Count == 0)
            {
                return null;
            }

            var why = _energy.Count > 0
                ? "though the GPU was not started anew; most likely its exporter was, which forgets it"
                : $"and whether the GPU or only its exporter was started anew is not reported ({GpuHealth.Energy})";
            return $"GPU {Gpu}: {string.Join(", ", ill.Select(XidCatalog.Describe))} until "
                + $"{DateTimeOffset.FromUnixTimeSeconds((long)_xids[^1].At):HH:mm} UTC and not since, {why}";
        }
    }

    private double? StartedAt(List<Point> xids)
    {
        if (_energy.Count == 0)
        {
            return null;
        }

        var fell = _energy.Zip(_energy.Skip(1))
            .Where(pair => pair.Second.Value < pair.First.Value)
            .Select(pair => (double?)pair.Second.At)
            .LastOrDefault();
        // A GPU that has fallen off the bus reports nothing but its XID until it is restarted.
        return fell ?? (xids.Count > 0 && xids[0].At < _energy[0].At ? _energy[0].At : null);
    }

    private static List<Point> PointsOf(string gpu, IEnumerable<PrometheusSeries> series) =>
        [.. series.Where(one => GpuHealth.GpuOf(one) == gpu)
            .SelectMany(one => one.Times.Zip(one.Values, (at, value) => new Point(at, value)))
            .OrderBy(point => point.At)];

    private readonly record struct Point(double At, double Value);
}
