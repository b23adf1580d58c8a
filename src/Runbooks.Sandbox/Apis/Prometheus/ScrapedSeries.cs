using Runbooks.Sandbox.Apis.Exporters;
using Runbooks.Sandbox.Apis.Prometheus.PromQl;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>
/// The series of a Prometheus in the cluster that has scraped every 15 seconds for weeks. With its default settings it does not honour
/// labels of the exporters that it sets itself: theirs become <c>exported_pod</c> and so on.
/// </summary>
internal sealed class ScrapedSeries(ScrapeTargets targets) : ISeriesSource
{
    // Kept for one query, since the series of a selector do not change between its moments.
    private readonly Dictionary<IReadOnlyList<LabelMatcher>, List<Series>> _selected = new(ReferenceEqualityComparer.Instance);

    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(15);
    private static readonly string[] s_pods = ["pod", "exported_pod"];

    public IEnumerable<Sample> Instant(IReadOnlyList<LabelMatcher> matchers, DateTimeOffset at) =>
        from series in Select(matchers)
        where series.Target.IsUp(at)
        let value = series.Value(at)
        where value is not null
        select new Sample(series.Labels, value.Value);

    public IEnumerable<Points> Range(IReadOnlyList<LabelMatcher> matchers, DateTimeOffset from, DateTimeOffset to) =>
        Select(matchers).GroupBy(series => LabelSets.Key(series.Labels))
            .Select(same => new Points(same.First().Labels, [.. same.SelectMany(series => PointsOf(series, from, to)).OrderBy(point => point.At)]))
            .Where(points => points.Values.Count > 0);

    public IEnumerable<string> Names(DateTimeOffset at) => targets.All().Where(target => target.IsUp(at))
        .SelectMany(target => target.Families(null)).SelectMany(family => family.Series).Select(series => series.Name).Append("up").Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<(DateTimeOffset At, double Value)> PointsOf(Series series, DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var at in Scrapes(series.Target, from, to))
        {
            if (series.Value(at) is { } value)
            {
                yield return (at, value);
            }
        }
    }

    // A new target has been scraped once at its start.
    private static IEnumerable<DateTimeOffset> Scrapes(ScrapeTarget target, DateTimeOffset from, DateTimeOffset to)
    {
        var begin = target.Start > from ? target.Start : from;
        var end = target.End < to ? target.End.Value : to;
        if (begin > end)
        {
            yield break;
        }

        if (begin == target.Start)
        {
            yield return begin;
        }

        var first = (begin.UtcTicks / s_every.Ticks * s_every.Ticks) + s_every.Ticks;
        for (var ticks = first; ticks <= end.UtcTicks; ticks += s_every.Ticks)
        {
            yield return new DateTimeOffset(ticks, TimeSpan.Zero);
        }

        if (end == to && end > begin && end.UtcTicks % s_every.Ticks != 0)
        {
            yield return end;
        }
    }

    private List<Series> Select(IReadOnlyList<LabelMatcher> matchers)
    {
        if (!_selected.TryGetValue(matchers, out var selected))
        {
            _selected[matchers] = selected = [.. Find(matchers)];
        }

        return selected;
    }

    private IEnumerable<Series> Find(IReadOnlyList<LabelMatcher> matchers)
    {
        var pod = matchers.FirstOrDefault(matcher => matcher.Operator == "=" && s_pods.Contains(matcher.Label))?.Value;
        if (pod is not null)
        {
            targets.Ask(pod);
        }

        var name = matchers.FirstOrDefault(matcher => matcher.Label == LabelSets.Name);
        // The pod's label is added to GPU series only where a query asks for it.
        var ofPod = matchers.Any(matcher => matcher.Operator == "=" && matcher.Label == "exported_pod") ? pod : null;
        foreach (var target in targets.All(ofPod))
        {
            if (matchers.Any(matcher => matcher.Label != LabelSets.Name
                && target.Labels.ContainsKey(matcher.Label)
                && !matcher.Matches(target.Labels)))
            {
                continue;
            }

            if (name?.Matches("up") != false && Matching(matchers, target, "up", []) is { } up)
            {
                yield return new Series(target with { Start = target.AskedFrom }, up, at => at < target.Start ? 0 : 1);
            }

            foreach (var family in target.Families(name is { Operator: "=" } ? name.Value : null))
            {
                foreach (var exposed in family.Series)
                {
                    if (name?.Matches(exposed.Name) != false && Matching(matchers, target, exposed.Name, exposed.Labels) is { } labels)
                    {
                        yield return new Series(target, labels, exposed.Value);
                    }
                }
            }
        }
    }

    private static Dictionary<string, string>? Matching(
        IReadOnlyList<LabelMatcher> matchers, ScrapeTarget target, string name, IReadOnlyList<KeyValuePair<string, string>> exposed)
    {
        var labels = new Dictionary<string, string>(target.Labels) { [LabelSets.Name] = name };
        foreach (var (key, value) in exposed)
        {
            if (value.Length > 0)
            {
                labels[target.Labels.ContainsKey(key) ? $"exported_{key}" : key] = value;
            }
        }

        return matchers.All(matcher => matcher.Matches(labels)) ? labels : null;
    }

    private sealed record Series(ScrapeTarget Target, IReadOnlyDictionary<string, string> Labels, Func<DateTimeOffset, double?> Value);
}
