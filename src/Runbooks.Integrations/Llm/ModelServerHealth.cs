using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>
/// Tells a hung model server from a busy one: requests wait or run all the time, and nothing comes of them. A server that hangs in
/// the first request after a pause looks idle, so an idle one passes with a caveat. Its HTTP server still answers then, so asking
/// it proves nothing. One that reported a while ago and is gone may be the worst of them.
/// </summary>
internal abstract class ModelServerHealth(PrometheusClient prometheus, ModelServer server, string name, string summary)
    : PrometheusCheck<ModelServerParameters>(
        prometheus,
        name,
        $"{summary} One that reported within the window and is gone keeps the others from passing. "
            + "One of which nothing comes is unknown until that has been so for the whole window, and it has reported for three "
            + "quarters of it.")
{
    private const string Requests = "requests";

    protected override async Task<CheckResult> MeasureAsync(
        ModelServerParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var of = await parameters.Series.FollowAsync(Prometheus, parameters.Endpoint, server.Waiting, cancellationToken);
        var lately = parameters.LatelyOf(Prometheus);
        var (least, rate) = Over(parameters.Window);
        Task<IReadOnlyList<PrometheusSeries>> Ask(string? metric, string around) => metric is null
            ? Task.FromResult<IReadOnlyList<PrometheusSeries>>([])
            : Prometheus.QueryAsync(parameters.Endpoint, of.Of(metric, server.Whole(around)), cancellationToken);
        var answers = await Task.WhenAll(
            Ask(server.Running, "{0}"),
            Ask(server.Waiting, "{0}"),
            Ask(server.Progress, rate),
            Ask(server.Running, least),
            Ask(server.Waiting, least),
            Ask(server.Reading, rate),
            Coverage.AskAsync(
                Prometheus, parameters.Endpoint, of.Of(server.Waiting, server.Once(Coverage.Around(parameters.Window))), cancellationToken),
            Prometheus.QueryAsync(parameters.Endpoint, RateAtWork(of, lately), cancellationToken));
        var engines = Engines(answers, parameters.Window);
        var gone = await GoneServers.FindAsync(
            Prometheus, server, parameters, of, answers[Answer.Waiting], context.Time, cancellationToken);
        var (judged, told) = Judge(parameters, of, engines, lately);
        if (gone.Beside(judged, PromDuration.Format(parameters.Window)) is not { } result)
        {
            var metric = server.Running is { } running && answers[Answer.Running].Count == 0 ? running : server.Waiting;
            var missing = await MissingSeries.FindAsync(Prometheus, parameters.Endpoint, of.Of(metric), cancellationToken);
            return CheckResult.Unknown($"Prometheus '{Prometheus.Find(parameters.Endpoint).Name}' has no series {metric} {of.Text}"
                + (missing.Count > 0
                    ? $", nor for any other: is {server.Name} scraped?"
                    : ": is the pod scraped, and do its labels say namespace and pod?"));
        }

        var counter = told is { OnlyReads: true } ? server.Reading! : server.Progress;
        var (drawn, like) = result.Unit switch
        {
            Requests => ($"max({of.Of(server.Waiting)})", null),
            // The others' work would hide what this one does.
            not null when told is not null => (of.Of(counter, server.Whole(rate)), told.Series),
            _ => ($"sum({of.Of(counter, rate)})", null),
        };
        result = result with { Summary = of.Prefix(result.Summary) };
        return await Prometheus.DrawAsync(result, parameters.Endpoint, drawn, context.Time, cancellationToken, like);
    }

    private static (string Least, string Rate) Over(TimeSpan time) =>
        ($"min_over_time({{0}}[{PromDuration.Of(time)}])", $"rate({{0}}[{PromDuration.Of(time)}])");

    /// <summary>Asks for the progress of the engines that had work at every moment of this time, and do not only read.</summary>
    private string RateAtWork(WorkloadSeries of, TimeSpan time)
    {
        var (least, rate) = Over(time);
        string Ask(string metric, string around) => of.Of(metric, server.Whole(around));
        var running = server.Running is null ? "" : $" + {Ask(server.Running, least)}";
        var notReading = server.Reading is null ? "" : $" unless {Ask(server.Reading, rate)} > 0";
        return $"{Ask(server.Progress, rate)} and ({Ask(server.Waiting, least)}{running}) > 0{notReading}";
    }

    private (CheckResult? Result, Engine? Told) Judge(
        ModelServerParameters parameters, WorkloadSeries of, List<Engine> engines, TimeSpan lately)
    {
        if (engines.Count == 0)
        {
            return (null, null);
        }

        string Named(Engine engine) => (engines.Count, of.IsReplaced) switch
        {
            (1, false) => "",
            (1, true) => $"{engine.Pod}: ",
            _ => $"{engine.Pod} ({(engine.Part is null ? "" : $"{server.Engine} {engine.Part}, ")}the worst of {engines.Count}): ",
        };

        var over = PromDuration.Format(parameters.Window);
        if (engines.Find(engine => engine.IsStuck && Coverage.IsEnough(engine.Reported, parameters.Window)) is { } stuck)
        {
            return (Result(
                Verdict.Failing,
                $"{Named(stuck)}{Work(stuck)}, and {server.Nothing} for {PromDuration.Format(stuck.Reported)}: the {server.Engine} hangs.",
                stuck,
                "== 0"), stuck);
        }

        var longest = engines.MaxBy(engine => engine.Waiting)!;
        CheckResult Queue(Verdict verdict, string summary) => new(verdict, summary)
        {
            Value = NumberText.Format(longest.Waiting),
            Threshold = $"> {parameters.MaxWaiting}",
            Unit = Requests,
        };
        if (longest.Waiting > parameters.MaxWaiting)
        {
            return (Queue(Verdict.Failing, $"{Named(longest)}{Work(longest)}; at most {parameters.MaxWaiting} may wait."), longest);
        }

        (CheckResult, Engine) Unclear(Engine engine, string why) =>
            (CheckResult.Unknown($"{Named(engine)}{why}") with { Unit = server.Unit }, engine);
        if (engines.Find(engine => double.IsNaN(engine.Running + engine.Waiting)) is { } unread)
        {
            return Unclear(unread, "how many requests run or wait is not a number, so it says nothing.");
        }

        if (engines.Find(engine => engine.IsStuck) is { } young)
        {
            return Unclear(
                young,
                $"{Work(young)}, and {server.Nothing}, but of the last {over} it has reported for {PromDuration.Format(young.Reported)} "
                    + $"only: too short to tell that the {server.Engine} hangs.");
        }

        if (engines.Find(engine => engine is { HasWork: true, Rate: null }) is { } unmeasured)
        {
            return Unclear(
                unmeasured,
                $"{Work(unmeasured)}, but there is no rate of {server.Progress} over {over} yet: "
                    + "the pod is new, or that series is missing.");
        }

        if (engines.Find(engine => engine is { HasWork: true, RateLately: 0 }) is { } still)
        {
            return Unclear(
                still,
                $"{Work(still)}, and {server.Nothing} for {PromDuration.Format(lately)}: "
                    + $"too short to tell that the {server.Engine} hangs.");
        }

        var busiest = engines.MaxBy(engine => engine.Running + engine.Waiting)!;
        var summary = busiest.HasWork
            ? $"{Named(busiest)}{Work(busiest)}, {NumberText.Format(Math.Round(busiest.Rate ?? 0, 1))} {server.Unit} over {over}."
            : $"{Named(busiest)}{Idle}";
        var passing = parameters.MaxWaiting is null
            ? Result(Verdict.Passing, summary, busiest, "== 0")
            : Queue(Verdict.Passing, summary);
        return (passing with { Caveat = busiest.HasWork ? null : "without a request to show it" }, busiest);
    }

    private CheckResult Result(Verdict verdict, string summary, Engine engine, string threshold) =>
        new(verdict, summary)
        {
            Value = engine.Rate is { } rate ? NumberText.Format(Math.Round(rate, 1)) : null,
            Threshold = threshold,
            Unit = server.Unit,
        };

    // vLLM sets its gauges after a step and TGI after a batch, so a server that hangs in its first one shows 0.
    private string Idle => server.Running is null
        ? "Nothing waits: it is idle, or hangs in a request behind which none waits."
        : "Nothing is seen to run or wait: it is idle, or hangs in its first request, which its figures do not show.";

    private string Work(Engine engine) => server.Running is null
        ? $"{engine.Waiting:0} wait"
        : $"{engine.Running:0} run, {engine.Waiting:0} wait";

    // All series of one engine have the same labels except the metric's name.
    private List<Engine> Engines(IReadOnlyList<PrometheusSeries>[] answers, TimeSpan window)
    {
        static IEnumerable<KeyValuePair<string, string>> LabelsOf(PrometheusSeries series) =>
            series.Labels.Where(label => label.Key != "__name__");
        static string Key(PrometheusSeries series) =>
            string.Join(',', LabelsOf(series).OrderBy(label => label.Key, StringComparer.Ordinal));
        var by = answers
            .Select(answer => answer.GroupBy(Key).ToDictionary(group => group.Key, group => group.First().Values[^1]))
            .ToArray();
        double? Find(int answer, string key) => by[answer].TryGetValue(key, out var value) ? value : null;
        double? FindNumber(int answer, string key) => Find(answer, key) is { } value && !double.IsNaN(value) ? value : null;
        return
        [
            .. from series in answers[Answer.Waiting]
               let key = Key(series)
               let running = server.Running is null ? 0 : Find(Answer.Running, key)
               where running is not null
               let made = FindNumber(Answer.Progress, key)
               let read = made == 0 ? FindNumber(Answer.Reading, key) ?? 0 : 0
               select new Engine(
                   ModelServer.PodOf(series),
                   server.PartOf(series),
                   running.Value,
                   series.Values[^1],
                   made == 0 ? read : made,
                   (Find(Answer.LeastRunning, key) ?? 0) + (Find(Answer.LeastWaiting, key) ?? 0),
                   Coverage.Of(Find(Answer.Reported, key), window))
               {
                   Series = new(new Dictionary<string, string>(LabelsOf(series)), []),
                   OnlyReads = read > 0,
                   RateLately = Find(Answer.RateAtWork, key),
               },
        ];
    }

    private static class Answer
    {
        public const int Running = 0;
        public const int Waiting = 1;
        public const int Progress = 2;
        public const int LeastRunning = 3;
        public const int LeastWaiting = 4;
        public const int Reading = 5;
        public const int Reported = 6;
        public const int RateAtWork = 7;
    }

    /// <param name="Rate">What comes of it in a second, or what it reads where nothing does; null while that is not known.</param>
    /// <param name="AlwaysAtLeast">The least work that it had during the whole window: one request that has just come in does not mean a hang.</param>
    private sealed record Engine(
        string Pod, string? Part, double Running, double Waiting, double? Rate, double AlwaysAtLeast, TimeSpan Reported)
    {
        public required PrometheusSeries Series { get; init; }

        public bool OnlyReads { get; init; }

        /// <summary>The rate over the newest part of the window; null where it had no work for a moment of it, or while that is not known.</summary>
        public double? RateLately { get; init; }

        public bool HasWork => Running + Waiting > 0;

        public bool IsStuck => HasWork && AlwaysAtLeast > 0 && Rate == 0;
    }
}

public sealed record ModelServerParameters : WorkloadParameters
{
    [Range(0, 1_000_000)]
    [Description("More requests waiting than this count as failing too; left out, a long queue is none of this check's business.")]
    public int? MaxWaiting { get; init; }

    [Range(typeof(TimeSpan), "00:02:00", "01:00:00")]
    [Description("How long one takes to load its model at most. One that reported and has not answered for less than this may be loading: "
        + "it keeps the others from passing, and fails only after this.")]
    public TimeSpan LoadsFor { get; init; } = TimeSpan.FromMinutes(10);
}
