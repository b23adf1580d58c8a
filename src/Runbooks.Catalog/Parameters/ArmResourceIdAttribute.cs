using System.Buffers;

namespace Runbooks.Catalog.Parameters;

/// <summary>An Azure resource id of one type, for example <c>Microsoft.Network/trafficManagerProfiles</c>; without a type, of any.</summary>
public sealed class ArmResourceIdAttribute(string? resourceType = null) : ParameterRuleAttribute
{
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.()~");

    public string? ResourceType => resourceType;

    public override string Words => resourceType is null
        ? "an Azure resource id such as /subscriptions/…/resourceGroups/…/providers/…"
        : $"the Azure resource id of a {resourceType}: /subscriptions/…/resourceGroups/…/providers/{resourceType}/…";

    protected override bool Accepts(string value)
    {
        var parts = value.Split('/');
        // '' subscriptions {guid} resourceGroups {name} providers {namespace} {type} {name} [{type} {name} …]
        if (value.Length > 1024 || parts.Length < 9 || parts.Length % 2 == 0 || parts[0].Length > 0
            || parts.Skip(1).Any(part => part.Length == 0 || part is "." or ".." || part.AsSpan().ContainsAnyExcept(s_allowed))
            || !Is(parts[1], "subscriptions") || !Guid.TryParseExact(parts[2], "D", out _)
            || !Is(parts[3], "resourceGroups") || !Is(parts[5], "providers"))
        {
            return false;
        }

        var types = parts.Skip(7).Where((_, index) => index % 2 == 0).Prepend(parts[6]);
        return resourceType is null || Is(string.Join('/', types), resourceType);
    }

    private static bool Is(string written, string expected) => string.Equals(written, expected, StringComparison.OrdinalIgnoreCase);
}
