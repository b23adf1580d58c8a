using Runbooks.Integrations.Prometheus;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Llm;

/// <summary>
/// Servers that reported a while ago and do not now. One that Prometheus asks in vain is down, however many others there are.
/// One that it asks no longer may have been lost or scaled down, and Prometheus cannot tell which: it counts where fewer report
/// than at the beginning of the window; as many are a rollout, in which others took their place.
/// </summary>
/// <param name="Down">Prometheus still asks them, and has had no answer for some minutes.</param>
/// <param name="Away">Prometheus asks them no longer.</param>
internal sealed record GoneServers(IReadOnlyList<string> Down, IReadOnlyList<string> Away)
{
    private const int MostNamed = 5;

    /// <summary>For so long one that is down is known by what it reported.</summary>
    private static readonly TimeSpan s_remembered = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_downFor = TimeSpan.FromMinutes(2);
    private static readonly GoneServers s_none = new([], []);

    /// <param name="of">Which servers.</param>
    /// <param name="now">Their series of the waiting requests now.</param>
    public static async Task<GoneServers> FindAsync(
        PrometheusClient prometheus, ModelServer server, ModelServerParameters parameters, WorkloadSeries of, IReadOnlyList<PrometheusSeries> now, TimeProvider time, CancellationToken cancellationToken)
    {
        var here = now.Select(server.NameOf).ToHashSet(StringComparer.Ordinal);
        var gone = await LostWithinAsync(s_remembered);
        if (gone.Count == 0)
        {
            return s_none;
        }

        // One scrape that failed makes nobody gone: that is asked for longer. One that is asked no longer was not asked in vain.
        var silent = await PodsAsync("{0} == 0");
        var longer = PromDuration.Of(s_downFor);
        var down = await PodsAsync($"{{0}} == 0 and max_over_time({{0}}[{longer}]) == 0 and count_over_time({{0}}[{longer}]) > 1");
        var away = (await LostWithinAsync(parameters.Window)).Where(series => !silent.Contains(ModelServer.PodOf(series))).ToList();
        var begin = time.GetUtcNow() - parameters.Window;
        if (away.Count > 0 && here.Count >= Names(await prometheus.RangeAsync(parameters.Endpoint, of.Of(server.Waiting), begin, begin, TimeSpan.FromSeconds(15), cancellationToken)).Count)
        {
            away = [];
        }

        return new(Names(gone.Where(series => down.Contains(ModelServer.PodOf(series)))), Names(away));

        async Task<List<PrometheusSeries>> LostWithinAsync(TimeSpan over) =>
            [.. (await prometheus.QueryAsync(parameters.Endpoint, of.Of(server.Waiting, $"present_over_time({{0}}[{PromDuration.Of(over)}])"), cancellationToken)).Where(series => !here.Contains(server.NameOf(series)))];

        async Task<HashSet<string>> PodsAsync(string query) =>
            (await prometheus.QueryAsync(parameters.Endpoint, of.Of("up", query), cancellationToken)).Select(ModelServer.PodOf).ToHashSet(StringComparer.Ordinal);

        List<string> Names(IEnumerable<PrometheusSeries> servers) => [.. servers.Select(server.NameOf).Distinct(StringComparer.Ordinal)];
    }

    /// <param name="others">What those that report say; null for none.</param>
    /// <param name="over">The time, in words.</param>
    /// <returns>Null when nobody reports and nobody is known to be down.</returns>
    public CheckResult? Beside(CheckResult? others, string over) => others switch
    {
        { Verdict: Verdict.Failing } => others,
        _ when Down.Count > 0 => CheckResult.Failing($"{Named(Down)} reported within {PromDuration.Words(s_remembered)} and {(Down.Count == 1 ? "does" : "do")} not answer any more."),
        { Verdict: Verdict.Passing } when Away.Count > 0 => others with
        {
            Verdict = Verdict.Unknown,
            Summary = $"{others.Summary.TrimEnd('.')}; but {Named(Away)} {(Away.Count == 1 ? "is" : "are")} gone, and fewer report than {over} ago: lost, or scaled down. This is said for {over}.",
        },
        _ => others,
    };

    private static string Named(IReadOnlyList<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(MostNamed)) + (names.Count > MostNamed ? FormattableString.Invariant($" and {names.Count - MostNamed} more") : "");
}
