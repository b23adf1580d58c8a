namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>
/// Two regions that serve users. Region b is slow from the first question on and recovers after a while; what users feel
/// depends on how Traffic Manager spreads them.
/// </summary>
internal sealed class TrafficWorld(TrafficManagerKind profiles, PracticeRangeOptions options, TimeProvider time)
{
    private const double Fast = 210;
    private const double Slow = 4200;
    private readonly Lock _lock = new();
    private DateTimeOffset? _began;

    public void Reset()
    {
        lock (_lock)
        {
            _began = null;
        }
    }

    /// <summary>Whether the resource belongs to the slow region, now.</summary>
    public bool IsSlow(string resource) => IsB(resource) && IsSlowAt(time.GetUtcNow());

    /// <summary>What Azure would have measured on a resource.</summary>
    public IEnumerable<Measured> Measure(string resource, string metric) => metric switch
    {
        "BackendLastByteResponseTime" or "ApplicationGatewayTotalTime" => [new([], at => Latency(resource, at))],
        "availabilityResults/duration" => [new([], at => profiles.SharesOf(resource).Sum(share => share.Value * Latency(share.Key, at)))],
        "OriginHealthPercentage" =>
        [
            new([new("Origin", "cluster-a.practice.example:443"), new("OriginGroup", "clusters")], _ => 100),
            new([new("Origin", "cluster-b.practice.example:443"), new("OriginGroup", "clusters")], _ => 100),
        ],
        _ => [],
    };

    private double Latency(string resource, DateTimeOffset at) =>
        (IsB(resource) && IsSlowAt(at) ? Slow : Fast) + (20 * Math.Sin(at.ToUnixTimeSeconds() / 90.0));

    // In the minutes before somebody looked it was slow already: that is why somebody looked.
    private bool IsSlowAt(DateTimeOffset at)
    {
        lock (_lock)
        {
            _began ??= time.GetUtcNow();
            return at > _began - TimeSpan.FromMinutes(6) && at < _began + options.RegionRecoversAfter;
        }
    }

    private static bool IsB(string resource) => resource.EndsWith("-b", StringComparison.OrdinalIgnoreCase);
}

/// <summary>One series.</summary>
internal sealed record Measured(IReadOnlyList<KeyValuePair<string, string>> Dimensions, Func<DateTimeOffset, double> At);
