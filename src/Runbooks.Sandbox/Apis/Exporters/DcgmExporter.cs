namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>
/// The metrics of NVIDIA's dcgm-exporter 4.5.3-4.8.2 with its <c>etc/default-counters.csv</c>: those fields, in its order, with its help,
/// types and labels (except err_code and err_msg of an XID, each of which makes a series of its own there). A GPU without an XID has no
/// series of XIDs.
/// </summary>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/blob/4.5.3-4.8.2/etc/default-counters.csv"/>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/issues/700"/>
internal sealed class DcgmExporter(SandboxCluster cluster, SandboxNode node)
{
    /// <summary>In MiB. The driver keeps a little for itself.</summary>
    private const double Memory = 81920 - Reserved;
    private const double Reserved = 634;

    private const string XidErrors = "DCGM_FI_DEV_XID_ERRORS";

    /// <summary>Only this code can be read of a GPU that has fallen off the bus.</summary>
    private const double OffTheBus = 79;

    /// <summary>In the order of the list. The value is null where there is none.</summary>
    private static readonly (string Name, string Type, string Help, Func<Load, double?> Value)[] s_fields =
    [
        ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz).", load => load.Busy > 0 ? 1410 : 210),
        ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", _ => 1593),
        ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C).", load => Math.Round(38 + (load.Busy * 24))),
        ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C).", load => Math.Round(34 + (load.Busy * 28))),
        ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", load => Math.Round(61 + (load.Busy * 270), 3)),
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ).", load => Math.Floor(load.Up * 160_000)),
        ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "Total number of PCIe retries.", _ => 0),
        ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", load => Math.Round(load.Busy * 100)),
        ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", load => Math.Round(load.Busy * 48)),
        ("DCGM_FI_DEV_ENC_UTIL", "gauge", "Encoder utilization (in %).", _ => 0),
        ("DCGM_FI_DEV_DEC_UTIL", "gauge", "Decoder utilization (in %).", _ => 0),
        (XidErrors, "gauge", "Value of the last XID error encountered.", load => load.Xid == 0 ? null : load.Xid),
        ("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", load => Memory - load.Used),
        ("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).", load => load.Used),
        ("DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).", _ => Reserved),
        ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "counter", "Total number of NVLink bandwidth counters for all lanes.", _ => 0),
        ("DCGM_FI_DEV_VGPU_LICENSE_STATUS", "gauge", "vGPU License status", _ => 0),
        ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for uncorrectable errors", _ => 0),
        ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for correctable errors", _ => 0),
        ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows has failed", _ => 0),
        ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.", load => Math.Round(load.Busy, 6)),
        ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor (HMMA) pipe is active.", load => Math.Round(load.Busy * 0.31, 6)),
        (
            "DCGM_FI_PROF_DRAM_ACTIVE",
            "gauge",
            "Ratio of cycles the device memory interface is active sending or receiving data.",
            load => Math.Round(load.Busy * 0.44, 6)),
        (
            "DCGM_FI_PROF_PCIE_TX_BYTES",
            "gauge",
            "The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in bytes per second.",
            load => Math.Round(load.Busy * 2.1e7)),
        (
            "DCGM_FI_PROF_PCIE_RX_BYTES",
            "gauge",
            "The rate of data received over the PCIe bus - including both protocol headers and data payloads - in bytes per second.",
            load => Math.Round(load.Busy * 4.6e7)),
    ];

    public IEnumerable<MetricFamily> Families(string? name, string? pod)
    {
        var fields = s_fields.Where(field => name is null || field.Name == name).ToList();
        var lines = fields.Count == 0 ? [] : Gpus(pod).ToList();
        return fields.Select(field => new MetricFamily(field.Name, field.Type, field.Help, [.. lines.Select(line => new ExposedSeries(
            field.Name, line.Labels, at => line.Load(at) is { } load && (load.Xid != OffTheBus || field.Name == XidErrors)
                ? field.Value(load)
                : null))]));
    }

    private IEnumerable<(IReadOnlyList<KeyValuePair<string, string>> Labels, Func<DateTimeOffset, Load?> Load)> Gpus(string? podName)
    {
        var lives = (podName is null ? cluster.PodsEver() : cluster.PodsEver().Where(pod => pod.Name == podName))
            .Where(pod => cluster.WorkloadOf(pod)?.UsesGpu == true)
            .SelectMany(pod => pod.Lives.Where(life => life.Node == node.Name).Select(life => (Pod: pod, Life: life, Gpu: GpuOf(pod)))).ToList();
        foreach (var (pod, life, gpu) in lives)
        {
            yield return (
                [.. Device(gpu), new("container", "vllm"), new("namespace", pod.Namespace), new("pod", pod.Name), new("pod_uid", "")],
                at => life.CreatedAt <= at && !(life.EndsAt <= at) ? LoadOf(pod, life, gpu, at) : null);
        }

        if (podName is not null)
        {
            yield break;
        }

        for (var gpu = 0; gpu < node.Gpus; gpu++)
        {
            var index = gpu;
            var mine = lives.Where(one => one.Gpu == index).Select(one => one.Life).ToList();
            yield return (
                Device(index),
                at => mine.Exists(life => life.CreatedAt <= at && !(life.EndsAt <= at)) ? null : new Load(0, 4, Xid(index, at), Up(at)));
        }
    }

    private Load LoadOf(SandboxPod pod, PodLife life, int gpu, DateTimeOffset at)
    {
        if (!life.IsReady(at))
        {
            return new Load(0, Math.Round(Memory * 0.03), Xid(gpu, at), Up(at));
        }

        // 0 while healthy, rising to 1 in the minutes before it hangs, and 1 from then on.
        var trouble = life.HungAt is { } hung ? Math.Clamp(1 - ((hung - at) / TimeSpan.FromMinutes(6)), 0, 1) : 0;
        var wave = Math.Sin((at.ToUnixTimeSeconds() / 45.0) + pod.Name[^1]);
        // vLLM takes nine tenths at its start, whatever its load.
        return new Load(
            0.62 + (0.38 * trouble) + (0.08 * wave * (1 - trouble)),
            Math.Round(Memory * (0.921 + (0.061 * trouble))),
            Xid(gpu, at),
            Up(at));
    }

    private IReadOnlyList<KeyValuePair<string, string>> Device(int gpu) =>
    [
        new("gpu", gpu.ToString(CultureInfo.InvariantCulture)),
        new("UUID", $"GPU-{node.Uid[..23]}-{gpu:000000000000}"),
        new("pci_bus_id", $"0000000{gpu}:00:00.0"),
        new("device", $"nvidia{gpu}"),
        new("modelName", "NVIDIA A100-SXM4-80GB"),
        new("Hostname", node.Name),
        new("DCGM_FI_DRIVER_VERSION", "570.172.08"),
    ];

    // No pod is on the broken GPU: the search model's is on the one beside it.
    private int GpuOf(SandboxPod pod)
    {
        var gpu = pod.Name.Sum(letter => letter) % node.Gpus;
        return node.Fault?.Gpu == gpu ? (gpu + 1) % node.Gpus : gpu;
    }

    private double Xid(int gpu, DateTimeOffset at) => Boot(at).Fault is { } fault && fault.Gpu == gpu && fault.Since <= at ? fault.Xid : 0;

    private double Up(DateTimeOffset at) => (at - Boot(at).ReadyAt).TotalSeconds;

    // Queries still see the boot before the machine was reinstalled.
    private (DateTimeOffset ReadyAt, GpuFault? Fault) Boot(DateTimeOffset at) => node.Former is { } former && at < node.ReadyAt
        ? (former.ReadyAt, former.Fault)
        : (node.ReadyAt, node.Fault);

    private sealed record Load(double Busy, double Used, double Xid, double Up);
}

/// <summary>A stretch of time in which a model server's load is the same.</summary>
/// <param name="Rate">Requests that it finishes in a second.</param>
/// <param name="FirstToken">The median time to the first token, in seconds.</param>
internal sealed record Stretch(DateTimeOffset From, DateTimeOffset To, double Rate, double FirstToken, double Running, double Waiting)
{
    public const double PromptTokens = 420;
    public const double AnswerTokens = 180;

    // Log-logistic: half are below the median, nearly all below four times the median.
    public static double ShareBelow(double bound, double median) => double.IsInfinity(bound) ? 1 : 1 / (1 + Math.Pow(median / bound, 4));

    public double TotalSeconds(DateTimeOffset until) => Math.Max(0, ((To < until ? To : until) - From).TotalSeconds);
}

/// <summary>The load of each model server. It follows from the pods and the time, so nothing has to be measured.</summary>
internal sealed class EngineTraffic(
    SandboxClusters clusters, [FromKeyedServices(EngineTraffic.Began)] FirstAsked chatLoad, SandboxOptions options)
{
    public const string Began = "exporters/chat-load";
    private const string Chat = "chat-vllm";

    /// <summary>Requests in a second: the most that one chat server finishes, and what users send in ordinary and in busy times.</summary>
    private const double Capacity = 4;
    private const double OrdinaryDemand = 5;
    private const double BusyDemand = 14;

    private static readonly TimeSpan s_climb = TimeSpan.FromMinutes(6);
    private const int ClimbSteps = 12;

    public void Reset() => chatLoad.Reset();

    /// <summary>In order and without a gap, from the time when the server can be asked.</summary>
    public IReadOnlyList<Stretch> Of(SandboxPod pod, PodLife life, DateTimeOffset until)
    {
        if (life.ReadyAt > until)
        {
            return [];
        }

        return pod.App == Chat ? [.. ChatStretches(life, until)] : [.. Stretches(life, until)];
    }

    private static IEnumerable<Stretch> Stretches(PodLife life, DateTimeOffset until)
    {
        // A server that has just started has no work yet.
        var warm = life.ReadyAt + TimeSpan.FromSeconds(1);
        yield return new(life.ReadyAt, warm, 0, 0.2, 0, 0);
        var hung = life.HungAt ?? DateTimeOffset.MaxValue;
        var climbs = hung == DateTimeOffset.MaxValue ? hung : hung - s_climb;
        yield return new(warm, climbs, 5, 0.2, 12, 0);
        if (climbs == DateTimeOffset.MaxValue)
        {
            yield break;
        }

        for (var i = 0; i < ClimbSteps; i++)
        {
            var part = (i + 1) / (double)ClimbSteps;
            yield return new(
                climbs + (s_climb * i / ClimbSteps),
                climbs + (s_climb * (i + 1) / ClimbSteps),
                5 * (1 - (part * 0.8)),
                0.2 + (part * 9),
                12 + (part * 4),
                Math.Round(part * 48));
        }

        yield return new(hung, DateTimeOffset.MaxValue, 0, 10, 16, 48);
    }

    private IEnumerable<Stretch> ChatStretches(PodLife life, DateTimeOffset until)
    {
        var began = chatLoad.At;
        var (busyFrom, busyTo) = (began - s_climb, began + options.LoadLastsFor);
        var hung = life.HungAt ?? DateTimeOffset.MaxValue;
        var lives = clusters.All.SelectMany(cluster => cluster.PodsEver()).Where(pod => pod.App == Chat).SelectMany(pod => pod.Lives).ToList();
        var edges = lives.SelectMany(each => new[] { each.ReadyAt, each.DeletedAt ?? DateTimeOffset.MaxValue })
            .Concat([busyFrom, busyTo, life.ReadyAt, hung])
            .Where(at => at >= life.ReadyAt && at <= until).Distinct().Order().Append(DateTimeOffset.MaxValue).ToList();
        foreach (var (from, to) in edges.Zip(edges.Skip(1)))
        {
            var servers = Math.Max(1, lives.Count(each => each.ReadyAt <= from && !(each.DeletedAt <= from)));
            var demand = (from >= busyFrom && from < busyTo ? BusyDemand : OrdinaryDemand) / servers;
            yield return from >= hung ? new(from, to, 0, 10, 16, 48)
                : demand > Capacity
                ? new(from, to, Capacity, 6 + demand, 32, Math.Round((demand - Capacity) * 20))
                : new(from, to, demand, 0.25, Math.Round(demand * 6), 0);
        }
    }
}

internal sealed record PodTraffic(EngineTraffic Traffic, SandboxPod Pod, PodLife Life)
{
    public Stretch? At(DateTimeOffset at) => Traffic.Of(Pod, Life, at).LastOrDefault(stretch => stretch.From <= at);

    public double Finished(DateTimeOffset at, Func<Stretch, double> each) =>
        Traffic.Of(Pod, Life, at).Sum(stretch => stretch.TotalSeconds(at) * stretch.Rate * each(stretch));
}
