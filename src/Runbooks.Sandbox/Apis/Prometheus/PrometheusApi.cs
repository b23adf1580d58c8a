using System.Globalization;
using Runbooks.Sandbox.Apis.Kubernetes;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>The query API of Prometheus over <see cref="GpuMetrics"/>, and <c>/metrics</c> for a real Prometheus to scrape.</summary>
internal sealed class PrometheusApi : SandboxApi
{
    private const int MaxPoints = 11_000;
    private readonly GpuMetrics _metrics;
    private readonly TimeProvider _time;

    public PrometheusApi(SandboxClusters clusters, TimeProvider time)
        : base("prometheus")
    {
        _metrics = new GpuMetrics(clusters);
        _time = time;
    }

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/api/v1/query", ["GET", "POST"], (HttpRequest request) => AnswerAsync(request, Instant));
        routes.MapMethods("/api/v1/query_range", ["GET", "POST"], (HttpRequest request) => AnswerAsync(request, Range));
        routes.MapGet("/metrics", Metrics);
        routes.MapGet("/graph", (HttpRequest request) => GraphPage.Show(request.Query["g0.expr"].ToString(), _metrics, _time.GetUtcNow()));
        routes.MapGet("/-/healthy", () => Results.Text("Prometheus Server is Healthy.\n"));
    }

    public override object Describe() => new { metrics = GpuMetrics.Names };

    public override void Reset()
    {
        // All that is measured follows from the pods.
    }

    public override IResult Error(int status, HttpRequest request) => status switch
    {
        503 => Failure(503, "unavailable", "the server is not ready"),
        429 => Results.Text("too many requests\n", statusCode: 429),
        401 or 403 => Results.Text("no access to this workspace\n", statusCode: status),
        _ => Failure(status, "internal", "the sandbox was told to fail"),
    };

    private static async Task<IResult> AnswerAsync(HttpRequest request, Func<Func<string, string?>, IResult> answer)
    {
        IFormCollection? form = request.HasFormContentType ? await request.ReadFormAsync(request.HttpContext.RequestAborted) : null;
        string? Parameter(string name) => form is not null && form.TryGetValue(name, out var value) ? value.ToString() : request.Query[name];
        try
        {
            return answer(Parameter);
        }
        catch (PromQueryException bad)
        {
            return Failure(400, "bad_data", bad.Message);
        }
    }

    private IResult Instant(Func<string, string?> parameter)
    {
        var expression = Parse(parameter);
        var at = Time(parameter, "time") ?? _time.GetUtcNow();
        var samples = expression.Evaluate(_metrics, at);
        return expression.IsScalar
            ? Success("scalar", Point(at, samples.First().Value))
            : Success("vector", samples.Select(sample => new { metric = sample.Labels, value = Point(at, sample.Value) }));
    }

    private IResult Range(Func<string, string?> parameter)
    {
        var expression = Parse(parameter);
        var start = Time(parameter, "start") ?? throw new PromQueryException("invalid parameter \"start\": cannot parse \"\" to a valid timestamp");
        var end = Time(parameter, "end") ?? throw new PromQueryException("invalid parameter \"end\": cannot parse \"\" to a valid timestamp");
        var step = Step(parameter("step"));
        if (end < start)
        {
            throw new PromQueryException("invalid parameter \"end\": end timestamp must not be before start time");
        }

        if ((end - start) / step > MaxPoints)
        {
            throw new PromQueryException("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
        }

        var series = new Dictionary<string, (IReadOnlyDictionary<string, string> Labels, List<object[]> Values)>();
        for (var at = start; at <= end; at += step)
        {
            foreach (var sample in expression.Evaluate(_metrics, at))
            {
                if (!series.TryGetValue(sample.Key, out var one))
                {
                    series[sample.Key] = one = (sample.Labels, []);
                }

                one.Values.Add(Point(at, sample.Value));
            }
        }

        return Success("matrix", series.Values.Select(one => new { metric = one.Labels, values = one.Values }));
    }

    private IResult Metrics()
    {
        var at = _time.GetUtcNow();
        var lines = GpuMetrics.Names.Where(name => name != "up").SelectMany(name => _metrics.Read(name, at)).Select(sample =>
            $"{sample.Labels["__name__"]}{{{string.Join(',', sample.Labels.Where(label => label.Key != "__name__").Select(label => $"{label.Key}=\"{label.Value}\""))}}} {Text(sample.Value)}\n");
        return Results.Text(string.Concat(lines), "text/plain; version=0.0.4");
    }

    private static PromExpression Parse(Func<string, string?> parameter)
    {
        try
        {
            return PromParser.Parse(parameter("query") ?? "");
        }
        catch (PromQueryException bad)
        {
            throw new PromQueryException($"invalid parameter \"query\": {bad.Message}");
        }
    }

    private static DateTimeOffset? Time(Func<string, string?> parameter, string name)
    {
        var text = parameter(name);
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 4e10)
        {
            return DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new PromQueryException($"invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp");
    }

    private static TimeSpan Step(string? text)
    {
        var unit = text is [.., 's' or 'm' or 'h'] ? text[^1] : 's';
        return double.TryParse(text?.TrimEnd('s', 'm', 'h'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1e6
            ? TimeSpan.FromSeconds(number * (unit switch { 'm' => 60, 'h' => 3600, _ => 1 }))
            : throw new PromQueryException($"invalid parameter \"step\": cannot parse \"{text}\" to a valid duration");
    }

    private static object[] Point(DateTimeOffset at, double value) => [at.ToUnixTimeMilliseconds() / 1000.0, Text(value)];

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static IResult Success(string resultType, object result) =>
        Results.Json(new { status = "success", data = new { resultType, result } });

    private static IResult Failure(int status, string errorType, string error) =>
        Results.Json(new { status = "error", errorType, error }, statusCode: status);
}
