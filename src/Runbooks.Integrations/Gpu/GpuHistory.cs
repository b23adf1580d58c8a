using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Gpu;

/// <summary>
/// What one GPU has reported in the time looked at. The exporter forgets the XIDs when it is started anew, and the GPU is as
/// it was; what tells that the GPU itself was started anew is its count of energy, which begins with the driver.
/// </summary>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/issues/500"/>
/// <seealso href="https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html"/>
internal sealed class GpuHistory
{
    private readonly List<Point> _xids;
    private readonly List<Point> _energy;
    private readonly bool _isToldNow;

    /// <param name="xids">What all GPUs reported, the earlier series first; and so with the energy.</param>
    public GpuHistory(string gpu, IReadOnlyList<PrometheusSeries> xids, IReadOnlyList<PrometheusSeries> xidsNow, IEnumerable<PrometheusSeries> energy)
    {
        Gpu = gpu;
        _energy = PointsOf(gpu, energy);
        var reported = PointsOf(gpu, xids.Concat(xidsNow)).Where(point => point.Value != 0).ToList();
        var startedAt = StartedAt(reported);
        _xids = startedAt is null ? reported : [.. reported.Where(point => point.At >= startedAt)];
        _isToldNow = PointsOf(gpu, xidsNow).Exists(point => point.Value != 0);
    }

    public string Gpu { get; }

    /// <summary>Since the GPU was last started anew, in order and each once.</summary>
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
            return $"GPU {Gpu}: {string.Join(", ", ill.Select(XidCatalog.Words))} until {DateTimeOffset.FromUnixTimeSeconds((long)_xids[^1].At):HH:mm} UTC and not since, {why}";
        }
    }

    private double? StartedAt(List<Point> xids)
    {
        if (_energy.Count == 0)
        {
            return null;
        }

        var fell = _energy.Zip(_energy.Skip(1)).Where(pair => pair.Second.Value < pair.First.Value).Select(pair => (double?)pair.Second.At).LastOrDefault();
        // A GPU that has fallen off the bus reports nothing but its XID until it is started anew.
        return fell ?? (xids.Count > 0 && xids[0].At < _energy[0].At ? _energy[0].At : null);
    }

    private static List<Point> PointsOf(string gpu, IEnumerable<PrometheusSeries> series) =>
        [.. series.Where(one => GpuHealth.GpuOf(one) == gpu).SelectMany(one => one.Times.Zip(one.Values, (at, value) => new Point(at, value))).OrderBy(point => point.At)];

    private readonly record struct Point(double At, double Value);
}
