namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// <c>/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}/{type}/{name}…</c>; a subscription or a group
/// alone has no type and no name.
/// </summary>
internal sealed record ResourceId(string Subscription, string? Group, string? Type, string? Name)
{
    public static ResourceId? Parse(string? text)
    {
        var parts = text?.Split('/', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (parts.Length < 2 || !Is(parts[0], "subscriptions"))
        {
            return null;
        }

        var group = parts.Length >= 4 && Is(parts[2], "resourceGroups") ? parts[3] : null;

        // An extension resource has a second "providers": the last one names the resource itself.
        var providers = Array.FindLastIndex(parts, part => Is(part, "providers"));
        var path = providers < 0 ? [] : parts[(providers + 1)..];
        return path.Length >= 3 && path.Length % 2 == 1
            ? new(parts[1], group, string.Join('/', path.Where((_, at) => at == 0 || at % 2 == 1)), path[^1])
            : new(parts[1], group, null, null);
    }

    private static bool Is(string part, string name) => part.Equals(name, StringComparison.OrdinalIgnoreCase);
}
