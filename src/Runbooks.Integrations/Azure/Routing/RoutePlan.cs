namespace Runbooks.Integrations.Azure.Routing;

/// <summary>Whether taking traffic away from a route may be done.</summary>
internal static class RoutePlan
{
    /// <param name="to">Null: all the others take over together.</param>
    /// <returns>Why not, in words; null when it may.</returns>
    public static string? Refusal(IReadOnlyList<Route> routes, string from, string? to)
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

        var takers = routes.Where(route => to is null ? !Same(route.Name, from) : Same(route.Name, to)).ToList();
        var enabled = takers.Where(route => route.Now.Enabled).ToList();
        if (enabled.Count == 0)
        {
            return to is null
                ? $"'{from}' is the last one that is enabled: without it traffic would go nowhere."
                : $"'{to}' is disabled, so it cannot take over, and whether it is healthy is not known.";
        }

        return enabled.Exists(route => route.Healthy)
            ? null
            : $"{string.Join(" and ", enabled.Select(route => $"'{route.Name}' is {route.Health}"))}: traffic would go from bad to worse.";
    }

    public static Route? Find(IReadOnlyList<Route> routes, string name) => routes.FirstOrDefault(route => Same(route.Name, name));

    private static bool Same(string one, string? other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
