using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>
/// Servers that reported a while ago and do not now. A server that Prometheus scrapes without an answer is down, however many
/// others there are. A server that it no longer scrapes may have been lost or scaled down, and Prometheus cannot tell which: it
/// counts if fewer report than at the beginning of the window. If as many report, it was a rollout. A server that loads its model
/// does not answer either: it counts as down only after the time that loading may take.
/// </summary>
/// <param name="Down">Prometheus still scrapes them, and has had no answer for longer than loading may take.</param>
/// <param name="Silent">Prometheus has had no answer for some minutes: they are gone, or load.</param>
/// <param name="Remembered">How long a server that is down is known by what it reported.</param>
internal sealed record GoneServers(
    IReadOnlyList<string> Down, IReadOnlyList<string> Silent, IReadOnlyList<string> NotScraped, TimeSpan Remembered)
{
    private const int MostNamed = 5;

    private static readonly TimeSpan s_remembered = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_silentFor = TimeSpan.FromMinutes(2);
    private static readonly GoneServers s_none = new([], [], [], s_remembered);

    public static async Task<GoneServers> FindAsync(
        PrometheusClient prometheus,
        ModelServer server,
        ModelServerParameters parameters,
        WorkloadSeries of,
        IReadOnlyList<PrometheusSeries> now,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var here = now.Select(server.NameOf).ToHashSet(StringComparer.Ordinal);

        // Twice as long as loading may take; otherwise a server would be forgotten before it counts as down.
        var remembered = TimeSpan.FromTicks(Math.Max(s_remembered.Ticks, 2 * parameters.LoadsFor.Ticks));
        var gone = await LostWithinAsync(remembered);
        if (gone.Count == 0)
        {
            return s_none;
        }

        // One failed scrape does not make a server gone: scrapes have to fail for longer. A server whose scrape failed is still scraped.
        var asked = await PodsAsync("{0} == 0");
        var (longer, loads) = (PromDuration.Of(s_silentFor), PromDuration.Of(parameters.LoadsFor));
        var silent = await PodsAsync($"{{0}} == 0 and max_over_time({{0}}[{longer}]) == 0 and count_over_time({{0}}[{longer}]) > 1");
        // A new target has not been scraped for that long, so it is not down yet.
        var down = silent.Count == 0
            ? []
            : await PodsAsync($"{{0}} == 0 and max_over_time({{0}}[{loads}]) == 0 and {{0}} offset {loads} == 0");
        var notScraped = (await LostWithinAsync(parameters.Window)).Where(series => !asked.Contains(ModelServer.PodOf(series))).ToList();
        if (notScraped.Count > 0)
        {
            var begin = time.GetUtcNow() - parameters.Window;
            var atBegin = await prometheus.RangeAsync(
                parameters.Endpoint, of.Of(server.Waiting), begin, begin, TimeSpan.FromSeconds(15), cancellationToken);
            if (here.Count >= Names(atBegin).Count)
            {
                notScraped = [];
            }
        }

        List<string> Among(HashSet<string> pods) => Names(gone.Where(series => pods.Contains(ModelServer.PodOf(series))));
        return new(Among(down), Among([.. silent.Except(down)]), Names(notScraped), remembered);

        async Task<List<PrometheusSeries>> LostWithinAsync(TimeSpan over)
        {
            var query = of.Of(server.Waiting, $"present_over_time({{0}}[{PromDuration.Of(over)}])");
            var present = await prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
            return [.. present.Where(series => !here.Contains(server.NameOf(series)))];
        }

        async Task<HashSet<string>> PodsAsync(string query)
        {
            var up = await prometheus.QueryAsync(parameters.Endpoint, of.Of("up", query), cancellationToken);
            return up.Select(ModelServer.PodOf).ToHashSet(StringComparer.Ordinal);
        }

        List<string> Names(IEnumerable<PrometheusSeries> servers) => [.. servers
            .Select(server.NameOf)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
    }

    public CheckResult? Beside(CheckResult? others, string over) => others switch
    {
        { Verdict: Verdict.Failing } => others,
        _ when Down.Count > 0 => CheckResult.Failing($"{CountText.Names(Down, MostNamed)} reported within "
            + $"{PromDuration.Format(Remembered)} and {(Down.Count == 1 ? "does" : "do")} not answer any more."),
        _ when Silent.Count > 0 => Unknown(
            others,
            $"{CountText.Names(Silent, MostNamed)} {(Silent.Count == 1 ? "does" : "do")} not answer: "
                + $"gone, or loading {(Silent.Count == 1 ? "its" : "their")} model."),
        { Verdict: Verdict.Passing } when NotScraped.Count > 0 => Unknown(
            others,
            $"{CountText.Names(NotScraped, MostNamed)} {CountText.Are(NotScraped.Count)} gone, and fewer report than {over} ago: "
                + $"lost, or scaled down. This is said for {over}."),
        _ => others,
    };

    private static CheckResult Unknown(CheckResult? others, string words) =>
        others is null
            ? CheckResult.Unknown(words)
            : others with { Verdict = Verdict.Unknown, Summary = $"{others.Summary.TrimEnd('.')}; but {words}" };
}

/// <summary>
/// For how much of a time there were series: <c>min_over_time</c> and <c>rate</c> answer from two samples on, however new they are
/// and however long nobody answered between them.
/// </summary>
internal static class Coverage
{
    private const int Moments = 20;

    /// <summary>One failed scrape, or what is missing before the first one, is no reason for doubt.</summary>
    private const double Enough = 0.75;

    public static string Around(TimeSpan window) => $"count_over_time({{0}}[{PromDuration.Of(window)}:{PromDuration.Of(StepOf(window))}])";

    /// <returns>Empty where this Prometheus cannot answer such a question: then the other answers have to do.</returns>
    public static async Task<IReadOnlyList<PrometheusSeries>> AskAsync(
        PrometheusClient prometheus, string? endpoint, string query, CancellationToken cancellationToken)
    {
        try
        {
            return await prometheus.QueryAsync(endpoint, query, cancellationToken);
        }
        catch (PrometheusException)
        {
            return [];
        }
    }

    /// <param name="moments">As <see cref="Around"/> counts them; null where they are not known.</param>
    public static TimeSpan Of(double? moments, TimeSpan window) =>
        moments is { } counted && counted * StepOf(window).TotalSeconds < window.TotalSeconds ? counted * StepOf(window) : window;

    public static bool IsEnough(TimeSpan covered, TimeSpan window) => covered >= window * Enough;

    private static TimeSpan StepOf(TimeSpan window) => TimeSpan.FromSeconds(Math.Max(1, Math.Round(window.TotalSeconds / Moments)));
}
