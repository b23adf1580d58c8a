using System.Xml;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>
/// Two regions that serve users. Region b is slow from the first question on and recovers after a while. How much users feel of it
/// depends on how Traffic Manager spreads them.
/// </summary>
internal sealed class SimulatedTraffic(
    TrafficManagerKind profiles,
    ApiManagementKind gateways,
    ProvisionedThroughput throughput,
    CognitiveKind models,
    [FromKeyedServices(SimulatedTraffic.Began)] FirstAsked began,
    SandboxOptions options,
    TimeProvider time)
{
    public const string Began = "arm/traffic";

    public const string Test = "availabilityResult/name";

    private const double Fast = 210;
    private const double Slow = 4200;

    public void Reset() => began.Reset();

    public bool IsSlow(string resource) => IsB(resource) && IsSlowAt(time.GetUtcNow());

    /// <param name="test">An availability test. One with an endpoint's name tests that region, any other tests as users do.</param>
    public IEnumerable<MeasuredSeries> Measure(string resource, string metric, string test) => metric switch
    {
        // A gateway without traffic has no measurements.
        "BackendFirstByteResponseTime" or "BackendLastByteResponseTime" or "ApplicationGatewayTotalTime" => [new([], at => profiles.Reaches(resource)
            ? Latency(resource, at)
            : null)],
        "availabilityResults/duration" => [new([new(Test, test), new("availabilityResult/success", "1")], at => Felt(resource, test, at))],
        "availabilityResults/availabilityPercentage" => [new([new(Test, test)], _ => 100)],
        "OriginHealthPercentage" =>
        [
            new([new("Origin", "cluster-a.practice.example:443"), new("OriginGroup", "clusters")], _ => 100),
            new([new("Origin", "cluster-b.practice.example:443"), new("OriginGroup", "clusters")], _ => 100),
        ],
        "AzureOpenAIProvisionedManagedUtilizationV2" => [new([new("ModelDeploymentName", "gpt-4o-ptu")], at => throughput.Percent(at))],
        // With a part of the traffic elsewhere, the provisioned throughput is enough for the rest.
        "Requests" =>
        [
            new(
                [new("BackendResponseCode", "429"), new("ApiId", "chat")],
                at => throughput.Percent(at) >= 100 && !gateways.SpillsOver(resource) ? 60 : null),
            new([new("BackendResponseCode", "200"), new("ApiId", "chat")], _ => 900),
        ],
        // Requests that spill over are not refused.
        "AzureOpenAIRequests" =>
        [
            new(
                [new("ModelDeploymentName", "gpt-4o-ptu"), new("StatusCode", "429")],
                at => throughput.Percent(at) >= 100 && !models.SpillsOver ? 60 : null),
            new([new("ModelDeploymentName", "gpt-4o-ptu"), new("StatusCode", "200")], _ => 900),
            new([new("ModelDeploymentName", "gpt-4o-paygo"), new("StatusCode", "200")], _ => 300),
        ],
        _ => [],
    };

    public double Felt(string service, string test, DateTimeOffset at)
    {
        var shares = profiles.SharesOf(service);
        return shares.ContainsKey(test) ? Latency(test, at) : shares.Sum(share => share.Value * Latency(share.Key, at));
    }

    private double Latency(string resource, DateTimeOffset at) =>
        (IsB(resource) && IsSlowAt(at) ? Slow : Fast) + (20 * Math.Sin(at.ToUnixTimeSeconds() / 90.0));

    // It was slow some minutes before the first question: that is why somebody asked.
    private bool IsSlowAt(DateTimeOffset at) => at > began.At - TimeSpan.FromMinutes(15) && at < began.At + options.RegionRecoversAfter;

    private static bool IsB(string resource) => resource.EndsWith("-b", StringComparison.OrdinalIgnoreCase);
}

/// <summary>How much of the provisioned throughput of <c>gpt-4o-ptu</c> is used: all of it for a while, from the first question on.</summary>
internal sealed class ProvisionedThroughput(
    [FromKeyedServices(ProvisionedThroughput.Began)] FirstAsked began, SandboxOptions options, TimeProvider time)
{
    public const string Began = "provider/limited";

    public bool IsUsedUp => Percent(time.GetUtcNow()) >= 100;

    // It was used up some minutes before the first question: that is why somebody asked.
    public double Percent(DateTimeOffset at) => at > began.At - TimeSpan.FromMinutes(15) && at < began.At + options.ProviderRecoversAfter ? 100 : 62;

    public void Reset() => began.Reset();
}

internal sealed record MeasuredSeries(IReadOnlyList<KeyValuePair<string, string>> Dimensions, Func<DateTimeOffset, double?> At);

internal static partial class ArmMetrics
{
    public static IResult? Show(ArmRequest request, SimulatedTraffic traffic, TimeProvider time)
    {
        var query = request.Http.Query;
        var span = query["timespan"].ToString().Split('/');
        if (span.Length != 2 || !Time(span[0], out var from) || !Time(span[1], out var to) || query["metricnames"].Count == 0 || to <= from)
        {
            return null;
        }

        var metric = query["metricnames"].ToString();
        var (every, field) = (XmlConvert.ToTimeSpan(query["interval"].ToString()), query["aggregation"].ToString());
        var filter = Conditions()
            .Matches(query["$filter"].ToString())
            .ToLookup(match => match.Groups["name"].Value, match => match.Groups["value"].Value, StringComparer.OrdinalIgnoreCase);
        var test = filter[SimulatedTraffic.Test].FirstOrDefault(name => name != "*") ?? request.Name;
        var series = Asked([.. traffic.Measure(request.Name, metric, test)], filter, query)
            .Select(one => (one.Dimensions, Points: Points(from, to, every, field, one.At, time.GetUtcNow())))
            // With a filter, there are only series of values that occurred.
            .Where(one => filter.Count == 0 || one.Points.Any(point => point![field] is not null))
            .Select(one => new JsonObject
            {
                ["metadatavalues"] = new JsonArray([.. one.Dimensions.Select(dimension => new JsonObject
                {
                    ["name"] = new JsonObject { ["value"] = dimension.Key.ToLowerInvariant(), ["localizedValue"] = dimension.Key.ToLowerInvariant() },
                    ["value"] = dimension.Value,
                })]),
                ["data"] = one.Points,
            });
        return Results.Text(
            new JsonObject
            {
                ["cost"] = 0,
                ["timespan"] = query["timespan"].ToString(),
                ["interval"] = query["interval"].ToString(),
                ["value"] = new JsonArray(new JsonObject
                {
                    ["id"] = $"{request.Root}/providers/Microsoft.Insights/metrics/{metric}",
                    ["type"] = "Microsoft.Insights/metrics",
                    ["name"] = new JsonObject { ["value"] = metric, ["localizedValue"] = metric },
                    ["unit"] = UnitOf(metric),
                    ["timeseries"] = new JsonArray([.. series]),
                }),
            }.ToJsonString(),
            "application/json");
    }

    /// <summary>With a filter, a series for each value, up to <c>top</c> of them, or 10; without one, a single series for all.</summary>
    private static IEnumerable<MeasuredSeries> Asked(List<MeasuredSeries> all, ILookup<string, string> filter, IQueryCollection query)
    {
        if (filter.Count == 0)
        {
            return all.Count == 0
                ? []
                : [new([], at => query["aggregation"] == "total" ? all.Sum(one => one.At(at)) : all.Average(one => one.At(at)))];
        }

        return all.Where(one => filter.All(wanted => one.Dimensions.Any(dimension => wanted.Key.Equals(
            dimension.Key, StringComparison.OrdinalIgnoreCase)
            && (wanted.Contains("*") || wanted.Contains(dimension.Value)))))
            .Select(one => one with { Dimensions = [.. one.Dimensions.Where(dimension => filter.Contains(dimension.Key))] })
            .Take(int.TryParse(query["top"], NumberStyles.None, CultureInfo.InvariantCulture, out var top) ? top : 10);
    }

    [GeneratedRegex("(?<name>[A-Za-z/]+) eq '(?<value>[^']*)'", RegexOptions.NonBacktracking)]
    private static partial Regex Conditions();

    private static JsonArray Points(
        DateTimeOffset from, DateTimeOffset to, TimeSpan every, string field, Func<DateTimeOffset, double?> at, DateTimeOffset now)
    {
        var points = new JsonArray();
        // As in Azure: the first interval begins at the start of the question, cut to the minute, and not on the clock.
        for (var begin = from.AddTicks(-(from.UtcTicks % TimeSpan.TicksPerMinute)); begin < to; begin += every)
        {
            var point = new JsonObject { ["timeStamp"] = begin.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) };
            points.Add(point);
            // Azure shows a value only a little later. Here that is at the start of the last minute.
            var values = begin + every <= to || begin <= now
                ? Enumerable.Range(1, (int)every.TotalMinutes).Select(minute => at(begin.AddMinutes(minute))).OfType<double>().ToList()
                : [];
            if (values.Count > 0)
            {
                point[field] = Math.Round(
                    field switch { "total" => values.Sum(), "maximum" => values.Max(), "minimum" => values.Min(), _ => values.Average() },
                    1);
            }
        }

        return points;
    }

    private static string UnitOf(string metric) => metric switch
    {
        "Requests" or "AzureOpenAIRequests" => "Count",
        "availabilityResults/availabilityPercentage" or "OriginHealthPercentage" or "AzureOpenAIProvisionedManagedUtilizationV2" => "Percent",
        _ => "MilliSeconds",
    };

    private static bool Time(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
}
