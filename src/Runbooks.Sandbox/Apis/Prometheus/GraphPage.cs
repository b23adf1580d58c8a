using System.Text.Encodings.Web;
using Runbooks.Sandbox.Apis.Prometheus.PromQl;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>Where the link of a finding leads: the query over the last quarter of an hour, as a plain curve.</summary>
internal static class GraphPage
{
    private const int Points = 90;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);

    public static IResult Show(string query, PromEvaluator evaluator, DateTimeOffset now)
    {
        var shown = HtmlEncoder.Default.Encode(query);
        try
        {
            var expression = PromParser.Parse(query);
            var samples = Enumerable.Range(0, Points + 1)
                .SelectMany(i => evaluator.Samples(expression, now - ((Points - i) * Step)).Select(sample => (X: i, Sample: sample)))
                .ToList();
            var top = Math.Max(1, samples.Select(point => point.Sample.Value).DefaultIfEmpty(1).Max());
            var lines = samples.GroupBy(point => point.Sample.Key).Select(series => FormattableString.Invariant(
                $"<polyline fill='none' stroke='currentColor' points='{string.Join(' ', series.Select(point => FormattableString.Invariant($"{point.X * 8},{200 - (point.Sample.Value / top * 190):0.#}")))}'/>"));
            return Page(FormattableString.Invariant(
                $"<code>{shown}</code><p>Last 15 minutes; the top is {top:0.##}.</p><svg viewBox='0 0 720 200' width='100%' role='img'>{string.Concat(lines)}</svg>"));
        }
        catch (PromQueryException bad)
        {
            return Page($"<code>{shown}</code><p>{HtmlEncoder.Default.Encode(bad.Message)}</p>");
        }
    }

    private static IResult Page(string body) => Results.Text(
        $"<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Practice Prometheus</title><body style='font-family:sans-serif'>{body}", "text/html; charset=utf-8");
}
