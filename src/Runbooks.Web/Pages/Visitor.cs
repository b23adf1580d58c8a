using Microsoft.AspNetCore.Http;
using Runbooks.Web.Access;

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

/// <summary>What the console says that depends on where it runs.</summary>
public sealed class ConsoleOptions
{
    public const string SectionName = "Console";

    /// <summary>The line to try when there are no incidents yet.</summary>
    public string TryThis { get; set; } = "dotnet run --project src/RunbookServer -- fire hanged-gpu";

    /// <summary>The name that forms begin with where nobody signs in; whoever it is may change it.</summary>
    public string? Name { get; set; }
}

/// <summary>Whether the integrations act on a sandbox: every page says so. No setting, since only the host that has one knows.</summary>
public sealed record PracticeMode(bool On);
