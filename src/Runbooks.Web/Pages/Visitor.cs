namespace Runbooks.Web.Pages;

/// <summary>Whoever looks at a page: by the platform's word, or else under a name that forms begin with and let them change.</summary>
public sealed record Visitor(string? SignedIn, string? Suggested)
{
    private const int LongestName = 200;

    public static Visitor Of(HttpRequest request, ConsoleOptions options)
    {
        var actor = Actor.Of(request);
        return (actor?.Person is { } person ? new Visitor(person.Name, null) : new(null, NameBesideTheKey(request) ?? options.Name)) with { Role = actor?.Role ?? Role.None };
    }

    /// <summary>What they may not do is not offered to them.</summary>
    public Role Role { get; init; }

    public bool MayOperate => Role >= Role.Operator;

    /// <summary>A browser that asked for the key asked for a name too.</summary>
    private static string? NameBesideTheKey(HttpRequest request) =>
        AuthorizationHeader.BasicCredentials(request)?.Split(':', 2)[0].Trim() is { Length: > 0 and <= LongestName } name ? name : null;
}
