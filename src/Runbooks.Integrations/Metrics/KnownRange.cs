using Runbooks.Catalog.Problems;

namespace Runbooks.Integrations.Metrics;

/// <summary>
/// Metrics whose values lie between two numbers wherever they are measured. A share is 0 to 1 with one exporter and 0 to 100 with
/// the next, and a threshold of the wrong kind is reached never, or always.
/// </summary>
/// <remarks>
/// Sources: vLLM's metrics (<c>*_perc</c> are shares of 1), DCGM's field identifiers (utilisation in per cent, profiling
/// fields as shares of 1), Triton's metrics (<c>nv_gpu_utilization</c> 0.0–1.0), and the metrics tables of Azure Monitor.
/// </remarks>
internal sealed partial record KnownRange(double Least, double Most)
{
    private static readonly KnownRange s_share = new(0, 1);
    public static readonly KnownRange Percent = new(0, 100);

    private static readonly Dictionary<string, KnownRange> s_prometheus = new(StringComparer.Ordinal)
    {
        ["up"] = s_share,
        ["probe_success"] = s_share,
        ["kube_pod_status_ready"] = s_share,
        ["kube_pod_status_phase"] = s_share,
        ["kube_node_status_condition"] = s_share,
        ["vllm:gpu_cache_usage_perc"] = s_share,
        ["vllm:kv_cache_usage_perc"] = s_share,
        ["vllm:cpu_cache_usage_perc"] = s_share,
        ["vllm:gpu_prefix_cache_hit_rate"] = s_share,
        ["nv_gpu_utilization"] = s_share,
        ["DCGM_FI_DEV_GPU_UTIL"] = Percent,
        ["DCGM_FI_DEV_MEM_COPY_UTIL"] = Percent,
        ["DCGM_FI_DEV_ENC_UTIL"] = Percent,
        ["DCGM_FI_DEV_DEC_UTIL"] = Percent,
        ["DCGM_FI_PROF_GR_ENGINE_ACTIVE"] = s_share,
        ["DCGM_FI_PROF_SM_ACTIVE"] = s_share,
        ["DCGM_FI_PROF_SM_OCCUPANCY"] = s_share,
        ["DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"] = s_share,
        ["DCGM_FI_PROF_DRAM_ACTIVE"] = s_share,
    };

    private static readonly Dictionary<string, KnownRange> s_azure = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Percentage CPU"] = Percent,
        ["Availability"] = Percent,
        ["availabilityResults/availabilityPercentage"] = Percent,
        ["OriginHealthPercentage"] = Percent,
        ["VipAvailability"] = Percent,
        ["DipAvailability"] = Percent,
        ["CpuPercentage"] = Percent,
        ["MemoryPercentage"] = Percent,
        ["cpu_percent"] = Percent,
        ["memory_percent"] = Percent,
        ["storage_percent"] = Percent,
        ["node_cpu_usage_percentage"] = Percent,
        ["node_memory_working_set_percentage"] = Percent,
        ["node_disk_usage_percentage"] = Percent,
        ["OS Disk Bandwidth Consumed Percentage"] = Percent,
        ["Data Disk Bandwidth Consumed Percentage"] = Percent,
    };

    public static KnownRange? OfAzure(string metric) => s_azure.GetValueOrDefault(metric);

    /// <summary>
    /// The range of a query for one known metric, perhaps aggregated by something that keeps its range, and perhaps times a number.
    /// </summary>
    public static KnownRange? OfPromQl(string query)
    {
        var (rest, factor) = (Quoted().Replace(query, "\"\"").Trim(), 1.0);
        while (true)
        {
            if (Times().Match(rest) is { Success: true } times)
            {
                factor *= double.Parse(times.Groups["number"].Value, CultureInfo.InvariantCulture);
                rest = times.Groups["rest"].Value.Trim();
            }
            else if (Kept().Match(rest) is { Success: true } kept && IsBalanced(kept.Groups["rest"].Value))
            {
                rest = kept.Groups["rest"].Value.Trim();
            }
            else
            {
                break;
            }
        }

        return factor > 0
            && Selector().Match(rest) is { Success: true } selector
            && s_prometheus.TryGetValue(selector.Groups["metric"].Value, out var range)
            ? new(range.Least * factor, range.Most * factor)
            : null;
    }

    public ParameterWarning? WarningOf(FailingWhen failing, string metric)
    {
        var range = $"{NumberText.Format(Least)} to {NumberText.Format(Most)}";
        return !failing.HoldsWithin(Least, Most) ? Of($"is '{failing}', and {metric} goes from {range}: it can never fail.")
            : failing.HoldsThroughout(Least, Most) ? Of($"is '{failing}', and {metric} goes from {range}: it always fails.")
            : Most == 100 && failing.IsOfAShare ? Of($"is '{failing}', and {metric} goes from {range}: 1 is one per cent.")
            : null;

        ParameterWarning Of(string problem) => new(
            WarningCodes.ThresholdRange,
            "failing",
            problem,
            $"Write a threshold between {NumberText.Format(Least)} and {NumberText.Format(Most)}.");
    }

    private static bool IsBalanced(string text)
    {
        var depth = 0;
        foreach (var character in text)
        {
            depth += character == '(' ? 1 : character == ')' ? -1 : 0;
            if (depth < 0)
            {
                return false;
            }
        }

        return depth == 0;
    }

    [GeneratedRegex(
        @"^(?:(?<number>\d+(?:\.\d+)?)\s*\*\s*(?<rest>.+)|(?<rest>.+?)\s*\*\s*(?<number>\d+(?:\.\d+)?))$",
        RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Times();

    /// <summary>Quoted text may contain brackets of its own.</summary>
    [GeneratedRegex("""
        "[^"]*"
        """, RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();

    /// <summary>Parentheses, or a function that makes one value of several within their range.</summary>
    [GeneratedRegex(
        @"^(?:(?:(?:max|min|avg)(?:_over_time)?|last_over_time)?\s*(?:(?:by|without)\s*\([^()]*\)\s*)?\((?<rest>.+?)\)"
            + @"|quantile(?:_over_time)?\s*(?:(?:by|without)\s*\([^()]*\)\s*)?\(\s*[0-9.]+\s*,(?<rest>.+?)\))"
            + @"(?:\s*(?:by|without)\s*\([^()]*\))?$",
        RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Kept();

    [GeneratedRegex(
        @"^(?<metric>[A-Za-z_:][A-Za-z0-9_:]*)\s*(?:\{[^}]*\})?\s*(?:\[[0-9a-z]+\])?$",
        RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Selector();
}
