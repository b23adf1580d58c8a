using System.Text.Encodings.Web;
using Runbooks.Sandbox.Apis.Exporters;
using Runbooks.Sandbox.Apis.Prometheus.PromQl;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>
/// The query API of a Prometheus that scrapes all exporters of the sandbox, and <c>/federate</c> for another Prometheus to read from.
/// </summary>
internal sealed class PrometheusApi(ScrapeTargets targets, TimeProvider time) : SandboxApi("prometheus")
{
    private const int MaxPoints = 11_000;

    private ScrapedSeries OneQuery => new(targets);

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/api/v1/query", ["GET", "POST"], (HttpRequest request) => AnswerAsync(request, Instant));
        routes.MapMethods("/api/v1/query_range", ["GET", "POST"], (HttpRequest request) => AnswerAsync(request, Range));
        routes.MapGet("/api/v1/label/__name__/values", () => Success(OneQuery.Names(time.GetUtcNow())));
        // This one evaluates no rules.
        routes.MapGet("/api/v1/rules", () => Success(new { groups = Array.Empty<object>() }));
        routes.MapGet("/federate", Federate);
        routes.MapGet("/metrics", Federate);
        routes.MapGet(
            "/graph",
            (HttpRequest request) => GraphPage.Show(request.Query["g0.expr"].ToString(), new PromEvaluator(OneQuery), time.GetUtcNow()));
        routes.MapGet("/-/healthy", () => Results.Text("Prometheus Server is Healthy.\n"));
    }

    public override object Describe() => new { metrics = OneQuery.Names(time.GetUtcNow()) };

    public override void Reset()
    {
        // Everything follows from what the exporters expose.
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
        var at = Time(parameter, "time") ?? time.GetUtcNow();
        return new PromEvaluator(OneQuery).Evaluate(expression, at) switch
        {
            PromValue.Scalar scalar => Success("scalar", Point(at, scalar.Value)),
            PromValue.Text text => Success("string", new object[] { at.ToUnixTimeMilliseconds() / 1000.0, text.Value }),
            PromValue.Vector vector => Success(
                "vector", vector.Samples.Select(sample => new { metric = sample.Labels, value = Point(at, sample.Value) })),
            PromValue.Matrix matrix => Success(
                "matrix",
                matrix.Series.Select(one => new { metric = one.Labels, values = one.Values.Select(point => Point(point.At, point.Value)) })),
            _ => throw new PromQueryException("the sandbox cannot show this"),
        };
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
            throw new PromQueryException(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
        }

        return Success(
            "matrix",
            new PromEvaluator(OneQuery)
                .Over(expression, start, end, step)
                .Select(one => new { metric = one.Labels, values = one.Values.Select(point => Point(point.At, point.Value)) }));
    }

    private IResult Federate()
    {
        var samples = OneQuery.Instant([], time.GetUtcNow()).OrderBy(sample => sample.Labels[LabelSets.Name], StringComparer.Ordinal);
        return Results.Text(string.Concat(samples.Select(Line)), Exposition.ContentType);
    }

    private static string Line(Sample sample)
    {
        var labels = Exposition.Labels(sample.Labels.Where(label => label.Key != LabelSets.Name));
        return $"{sample.Labels[LabelSets.Name]}{labels} {Exposition.Number(sample.Value)}\n";
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
        return double.TryParse(text?.TrimEnd('s', 'm', 'h'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and < 1e6
            ? TimeSpan.FromSeconds(number * (unit switch { 'm' => 60, 'h' => 3600, _ => 1 }))
            : throw new PromQueryException($"invalid parameter \"step\": cannot parse \"{text}\" to a valid duration");
    }

    private static object[] Point(DateTimeOffset at, double value) => [at.ToUnixTimeMilliseconds() / 1000.0, Exposition.Number(value)];

    private static IResult Success(string resultType, object result) => Success(new { resultType, result });

    private static IResult Success(object data) => Results.Json(new { status = "success", data });

    private static IResult Failure(int status, string errorType, string error) =>
        Results.Json(new { status = "error", errorType, error }, statusCode: status);
}

internal static class GraphPage
{
    private const int Points = 90;
    private static readonly TimeSpan s_step = TimeSpan.FromSeconds(10);

    public static IResult Show(string query, PromEvaluator evaluator, DateTimeOffset now)
    {
        var shown = HtmlEncoder.Default.Encode(query);
        try
        {
            var expression = PromParser.Parse(query);
            var samples = Enumerable.Range(0, Points + 1)
                .SelectMany(i => evaluator.Samples(expression, now - ((Points - i) * s_step)).Select(sample => (X: i, Sample: sample)))
                .ToList();
            var top = Math.Max(1, samples.Select(point => point.Sample.Value).DefaultIfEmpty(1).Max());
            var lines = samples
                .GroupBy(point => point.Sample.Key)
                .Select(series => $"<polyline fill='none' stroke='currentColor' "
                    + $"points='{string.Join(' ', series.Select(point => $"{point.X * 8},{200 - (point.Sample.Value / top * 190):0.#}"))}'/>");
            return Page(
                $"<code>{shown}</code><p>Last 15 minutes; the top is {top:0.##}.</p><svg "
                    + $"viewBox='0 0 720 200' width='100%' role='img'>{string.Concat(lines)}</svg>");
        }
        catch (PromQueryException bad)
        {
            return Page($"<code>{shown}</code><p>{HtmlEncoder.Default.Encode(bad.Message)}</p>");
        }
    }

    private static IResult Page(string body) => Results.Text(
        $"<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Practice "
            + $"Prometheus</title><body style='font-family:sans-serif'>{body}", "text/html; charset=utf-8");
}
