using Runbooks.Integrations.Prometheus;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Llm;

/// <summary>
/// Servers that reported within a time and do not now, where fewer report than at its beginning: as many are a rollout, in
/// which others took their place. A pod that is away may have been lost or scaled down, and Prometheus cannot tell which.
/// </summary>
/// <param name="Down">Prometheus still asks them, and has had no answer for some minutes.</param>
/// <param name="Away">Prometheus asks them no longer.</param>
internal sealed record GoneServers(IReadOnlyList<string> Down, IReadOnlyList<string> Away)
{
    private const int MostNamed = 5;
    private static readonly TimeSpan s_downFor = TimeSpan.FromMinutes(2);
    private static readonly GoneServers s_none = new([], []);

    /// <param name="of">Which servers.</param>
    /// <param name="now">Their series of the waiting requests now.</param>
    public static async Task<GoneServers> FindAsync(
        PrometheusClient prometheus, ModelServer server, ModelServerParameters parameters, WorkloadSeries of, IReadOnlyList<PrometheusSeries> now, TimeProvider time, CancellationToken cancellationToken)
    {
        var here = now.Select(server.NameOf).ToHashSet(StringComparer.Ordinal);
        var ever = await prometheus.QueryAsync(parameters.Endpoint, of.Of(server.Waiting, $"present_over_time({{0}}[{PromDuration.Of(parameters.Window)}])"), cancellationToken);
        var gone = ever.Where(series => !here.Contains(server.NameOf(series))).ToList();
        if (gone.Count == 0)
        {
            return s_none;
        }

        var begin = time.GetUtcNow() - parameters.Window;
        var before = await prometheus.RangeAsync(parameters.Endpoint, of.Of(server.Waiting), begin, begin, TimeSpan.FromSeconds(15), cancellationToken);
        if (here.Count >= before.Select(server.NameOf).Distinct(StringComparer.Ordinal).Count())
        {
            return s_none;
        }

        // One scrape that failed makes nobody gone: that is asked for longer.
        var silent = await SilentAsync("{0} == 0");
        var down = await SilentAsync($"max_over_time({{0}}[{PromDuration.Of(s_downFor)}]) == 0");
        return new(Named(down.Contains), Named(pod => !silent.Contains(pod) && !down.Contains(pod)));

        async Task<HashSet<string>> SilentAsync(string query) =>
            (await prometheus.QueryAsync(parameters.Endpoint, of.Of("up", query), cancellationToken)).Select(ModelServer.PodOf).ToHashSet(StringComparer.Ordinal);

        List<string> Named(Func<string, bool> isMeant) =>
            [.. gone.Where(series => isMeant(ModelServer.PodOf(series))).Select(server.NameOf).Distinct(StringComparer.Ordinal)];
    }

    /// <param name="others">What those that report say; null for none.</param>
    /// <param name="over">The time, in words.</param>
    /// <returns>Null when nobody reports and nobody is known to be down.</returns>
    public CheckResult? Beside(CheckResult? others, string over) => others switch
    {
        { Verdict: Verdict.Failing } => others,
        _ when Down.Count > 0 => CheckResult.Failing($"{Names(Down)} reported within {over} and {(Down.Count == 1 ? "does" : "do")} not answer any more."),
        { Verdict: Verdict.Passing } when Away.Count > 0 => others with
        {
            Verdict = Verdict.Unknown,
            Summary = $"{others.Summary.TrimEnd('.')}; but {Names(Away)} {(Away.Count == 1 ? "is" : "are")} gone, and fewer report than {over} ago: lost, or scaled down. This is said for {over}.",
        },
        _ => others,
    };

    private static string Names(IReadOnlyList<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(MostNamed)) + (names.Count > MostNamed ? FormattableString.Invariant($" and {names.Count - MostNamed} more") : "");
}
