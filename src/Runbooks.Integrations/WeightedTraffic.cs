namespace Runbooks.Integrations;

/// <summary>One of those that traffic is spread over: those of the smallest priority share it by their weights while they answer.</summary>
/// <param name="Priority">Null where nobody has said one.</param>
internal sealed record TrafficMember(string Name, int? Priority, double? Weight);

/// <summary>Who gets how much, before and after a change: a priority or a weight alone says that to nobody.</summary>
internal static class WeightedTraffic
{
    /// <param name="what">Follows "the": <c>traffic</c>.</param>
    public static string Describe(string what, IReadOnlyList<TrafficMember> before, IReadOnlyList<TrafficMember> after) =>
        Percents(after) is not { } then ? $"How the {what} is shared then is not known: a priority, an order or a weight is missing, or all weights of those that come first are 0."
        : $"The {what} then goes to: {then} ({(Percents(before) is { } now ? $"now {now}" : "how it is shared now is not known")}).";

    /// <summary>Who gets how much while all of them answer; null where whoever spreads it decides that.</summary>
    private static string? Percents(IReadOnlyList<TrafficMember> members)
    {
        List<TrafficMember> first = [.. members.Where(one => one.Priority == members.Min(other => other.Priority))];
        var all = first.Sum(one => one.Weight ?? 0);
        return members.Any(one => one.Priority is null) || first.Exists(one => one.Weight is null) || all == 0 ? null
            : string.Join(", ", first.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Name} {100 * one.Weight!.Value / all:0} %")));
    }
}
