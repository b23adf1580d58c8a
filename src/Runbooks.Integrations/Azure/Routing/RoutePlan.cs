namespace Runbooks.Integrations.Azure.Routing;

internal sealed record Route(string Id, string Name, RouteSetting Now, bool Healthy, string Health)
{
    /// <summary>
    /// The routes with the smallest number get the traffic, as long as one of them can take it; null where priorities do not decide.
    /// </summary>
    public int? Priority { get; init; }

    /// <summary>It gets its share whether it is healthy or not.</summary>
    public bool IsUnprobed { get; init; }

    /// <summary>When users follow the change; a sentence that begins with a blank.</summary>
    public required string Delay { get; init; }
}

/// <param name="Remark">What else the person who decides has to know: a sentence that begins with a blank.</param>
internal sealed record Spread(string? Refusal, string Remark = "");

internal sealed record RouteSetting(bool Enabled, int? Weight)
{
    public override string ToString() => $"{(Enabled ? "enabled" : "disabled")}{(Weight is null ? "" : $", weight {Weight}")}";
}

internal sealed record RouteChange(string Group, string Id, string Name, RouteSetting Before, RouteSetting After);

internal static class RoutePlan
{
    public static string? Refusal(IReadOnlyList<Route> routes, string from, string? to, int? weight = null)
    {
        foreach (var name in new[] { from, to }.OfType<string>())
        {
            if (Find(routes, name) is null)
            {
                return $"There is no '{name}'. There are: {string.Join(", ", routes.Select(route => route.Name))}.";
            }
        }

        if (Same(from, to))
        {
            return $"Traffic cannot be sent from '{from}' to itself.";
        }

        if (weight is not null && WeightRefusal(Find(routes, from)!, weight.Value) is { } useless)
        {
            return useless;
        }

        var takers = routes.Where(route => to is null ? !Same(route.Name, from) : Same(route.Name, to)).ToList();
        var enabled = takers.Where(route => route.Now.Enabled).ToList();
        if (enabled.Count == 0)
        {
            return to is null
                ? $"'{from}' is the last one that is enabled: without it traffic would go nowhere."
                : $"'{to}' is disabled, so it cannot take over, and whether it is healthy is not known.";
        }

        if (!enabled.Exists(route => route.Healthy))
        {
            return $"{string.Join(" and ", enabled.Select(route => $"'{route.Name}' is {route.Health}"))}: "
                + "traffic would go from bad to worse.";
        }

        // A weight leaves the route among those of its own priority.
        if (to is null || weight is not null)
        {
            return null;
        }

        var next = NextAfter(routes, from);
        return next.Count == 0 || Find(next, to) is not null
            ? null
            : $"Without '{from}' the traffic goes to {string.Join(" and ", next.Select(route => $"'{route.Name}'"))} (priority "
                + $"{next[0].Priority}), and not to '{to}' (priority {Find(routes, to)!.Priority}). "
                + "Name that one, or change the priorities.";
    }

    public static string Takers(IReadOnlyList<Route> routes, Route from, string? to, int? weight)
    {
        var next = weight is null
            ? NextAfter(routes, from.Name)
            : [.. Others(routes, from.Name).Where(route => route.Priority == from.Priority)];
        return to is null ? "the others" : next.Exists(route => !Same(route.Name, to)) ? $"the others, {to} among them" : to;
    }

    /// <summary>
    /// What a person has to know of the routes that may take over: a sentence that begins with a blank, or nothing where all are probed.
    /// </summary>
    public static string Unprobed(IReadOnlyList<Route> routes, RerouteParameters parameters, string why)
    {
        var unprobed = routes
            .Where(route => route is { IsUnprobed: true, Now.Enabled: true } && MayTakeOver(route))
            .Select(route => route.Name)
            .ToList();
        return unprobed.Count == 0
            ? ""
            : $" Whether {string.Join(" and ", unprobed)} {CountText.Are(unprobed.Count)} healthy is not probed ({why}).";

            bool MayTakeOver(Route route) =>
                !Same(route.Name, parameters.From) && (parameters.To is null || Same(route.Name, parameters.To));
    }

    private static List<Route> NextAfter(IReadOnlyList<Route> routes, string from)
    {
        var others = Others(routes, from);
        var first = others.Min(route => route.Priority);
        return [.. others.Where(route => route.Priority == first)];
    }

    private static List<Route> Others(IReadOnlyList<Route> routes, string from) =>
        [.. routes.Where(route => !Same(route.Name, from) && route.Now.Enabled && route.Healthy)];

    private static string? WeightRefusal(Route from, int weight) => from.Now switch
    {
        { Enabled: false } => $"'{from.Name}' is disabled: it gets no traffic, whatever its weight.",
        { Weight: null } => $"'{from.Name}' has no weight, so whether {weight} is less is not known. Leave 'weight' out to disable it.",
        { Weight: { } now } when weight > now => $"'{from.Name}' has the weight {now}: with {weight} it would get more traffic, not less. "
            + $"Give it less than {now}, or leave 'weight' out to disable it.",
        _ => null,
    };

    public static Route? Find(IReadOnlyList<Route> routes, string name) => routes.FirstOrDefault(route => Same(route.Name, name));

    private static bool Same(string one, string? other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
