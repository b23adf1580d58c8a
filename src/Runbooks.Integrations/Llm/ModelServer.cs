using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>The metrics by which one kind of model server tells of its work.</summary>
/// <param name="Running">A gauge of the requests that it works on; null where it has none.</param>
/// <param name="Progress">A counter of what comes of them.</param>
internal sealed record ModelServer(string Name, string? Running, string Waiting, string Progress, string Unit, string Nothing)
{
    /// <summary>The word for what hangs, beside <see cref="PartLabel"/>.</summary>
    public string Engine { get; init; } = "engine";

    /// <summary>The label that tells several engines in one pod apart.</summary>
    public string? PartLabel { get; init; }

    public static string PodOf(PrometheusSeries series) =>
        series.Labels.GetValueOrDefault("exported_pod") ?? series.Labels.GetValueOrDefault("pod", "?");

    /// <returns>Null where there is only one in a pod.</returns>
    public string? PartOf(PrometheusSeries series) => PartLabel is null ? null : series.Labels.GetValueOrDefault(PartLabel, "0");

    public string NameOf(PrometheusSeries series) => $"{PodOf(series)}{(PartOf(series) is { } part ? $" ({Engine} {part})" : "")}";

    /// <summary>
    /// A counter of what it has read, in the same unit, for servers with no such output: a vLLM of an embedding model generates no
    /// token. A request is counted when its first output is there.
    /// </summary>
    public string? Reading { get; init; }

    /// <summary>
    /// A label that only some series of an engine have. They are summed over it, so that all series of one engine have the same labels.
    /// </summary>
    public string? SplitBy { get; init; }

    /// <param name="query">For one metric: <c>rate({0}[5m])</c>.</param>
    public string Whole(string query) => SplitBy is null ? query : $"sum without ({SplitBy}) ({query})";

    /// <summary>Like <see cref="Whole"/>, for a figure that is the same in all parts.</summary>
    public string Once(string query) => SplitBy is null ? query : $"max without ({SplitBy}) ({query})";
}
