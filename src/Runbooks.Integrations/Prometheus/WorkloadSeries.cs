namespace Runbooks.Integrations.Prometheus;

/// <summary>Selects the series of one pod or of a namespace, whether or not Prometheus honours the exporter's own labels.</summary>
/// <remarks>
/// Without <c>honor_labels</c>, the default, an exporter that speaks of other pods has <c>exported_pod</c> for them, and
/// <c>pod</c> is its own.
/// </remarks>
/// <seealso href="https://github.com/NVIDIA/dcgm-exporter/issues/85"/>
internal sealed record WorkloadSeries(string Namespace, string? Pod, string? Cluster)
{
    /// <summary>The pod is gone, and these are all that its controller has in its place: which of them is the new one Prometheus does not tell.</summary>
    public bool IsReplaced { get; private init; }

    public string Words => Pod is null ? $"in namespace {Namespace}" : IsReplaced ? $"of the pods in place of {Namespace}/{Pod}" : $"of pod {Namespace}/{Pod}";

    /// <param name="metric">One that every such pod has.</param>
    /// <returns>Those in its place where the pod has neither this metric nor is asked for any; else the same.</returns>
    /// <exception cref="PrometheusException">That could not be asked; or several clusters have such pods, and none is named.</exception>
    public async Task<WorkloadSeries> FollowAsync(PrometheusClient prometheus, string? endpoint, string metric, CancellationToken cancellationToken)
    {
        var followed = await FollowedAsync(prometheus, endpoint, metric, cancellationToken);
        if (Cluster is null)
        {
            // Of late as well: the pod that is meant may be the one that is gone.
            ClusterLabel.RequireOne(await prometheus.QueryAsync(endpoint, $"count by ({ClusterLabel.Name}) ({followed.Of(metric, "present_over_time({0}[1h])")})", cancellationToken), followed.Words);
        }

        return followed;
    }

    private async Task<WorkloadSeries> FollowedAsync(PrometheusClient prometheus, string? endpoint, string metric, CancellationToken cancellationToken)
    {
        if (Pod is null || GeneratedPodName.SiblingsOf(Pod) is null || (await prometheus.QueryAsync(endpoint, $"{Of(metric)} or {Of("up")}", cancellationToken)).Count > 0)
        {
            return this;
        }

        var others = this with { IsReplaced = true };
        return (await prometheus.QueryAsync(endpoint, others.Of(metric), cancellationToken)).Count > 0 ? others : this;
    }

    /// <summary>Says of whom it is where that is not the pod that was named.</summary>
    public string Said(string summary) => IsReplaced ? $"{Pod} is gone; of those in its place: {summary}" : summary;

    /// <param name="around">What is done to each selector, for example <c>rate({0}[5m])</c>.</param>
    public string Of(string metric, string around = "{0}") =>
        $"({Wrapped(around, metric, "")} or {Wrapped(around, metric, "exported_")})";

    // All are names by Kubernetes' rules, or patterns of such, so none can end the quoted text.
    private string Wrapped(string around, string metric, string prefix) => around.Replace(
        "{0}", $"{metric}{{{prefix}namespace=\"{Namespace}\"{(Pod is null ? "" : IsReplaced ? $",{prefix}pod=~\"{GeneratedPodName.SiblingsOf(Pod)}\"" : $",{prefix}pod=\"{Pod}\"")}{ClusterLabel.Matcher(Cluster)}}}", StringComparison.Ordinal);
}
