using System.Text;
using Runbooks.Notifications;

namespace Runbooks.Web.Access;

/// <summary>What a caller may do here. Each role includes the ones before it, but not the sender, who posts alerts and nothing else.</summary>
public enum Role
{
    None,

    /// <summary>Posts alerts, and sees nothing.</summary>
    Sender,

    /// <summary>Looks at everything, and changes nothing.</summary>
    Viewer,

    /// <summary>Looks, and through <c>/mcp</c> asks checks and proposes to start a runbook; decides nothing.</summary>
    Assistant,

    /// <summary>Acts on incidents: decides where asked, stops, closes, starts by hand, and engages the kill switch.</summary>
    Operator,

    /// <summary>Also lifts what holds runbooks back: releases the kill switch and resets breakers.</summary>
    Admin,
}

/// <summary>Who sent a request, as far as it is proven, and what they may do.</summary>
public sealed record Actor(Role Role, string Who)
{
    /// <summary>The person that the platform has signed in; null for a key or a link.</summary>
    public SignedInPerson? Person { get; init; }

    /// <summary>The sources that the key may post for; empty for any.</summary>
    public IReadOnlyCollection<string> Sources { get; init; } = [];

    public string Remedy { get; init; } = "Use a key that has it (setting ApiKeys:Named), or ask whoever keeps this system for one.";

    /// <returns>Null for a request with a link, which is its own proof.</returns>
    public static Actor? Of(HttpRequest request) => request.HttpContext.Features.Get<Actor>();

    public bool May(Role needed) => needed == Role.Sender ? Role is Role.Sender or >= Role.Operator : Role >= needed;

    public bool MayPostFor(string source) => Sources.Count == 0 || Sources.Contains(source, StringComparer.OrdinalIgnoreCase);

    public void EnterWith(HttpRequest request) => request.HttpContext.Features.Set(this);
}

internal static class RoleText
{
    public static string Of(Role role) => role switch
    {
        Role.Sender => "sender",
        Role.Viewer => "viewer",
        Role.Assistant => "assistant",
        Role.Operator => "operator",
        Role.Admin => "admin",
        _ => "none",
    };
}

public sealed record NeededRole(Role Role, bool IsPage);

/// <summary>The two forms of <c>Authorization</c> that are read here (RFC 6750 and RFC 7617).</summary>
internal static class AuthorizationHeader
{
    public static string? BearerToken(HttpRequest request) => After("Bearer ", request);

    /// <summary><c>name:password</c>, as a browser sends it that asked for them.</summary>
    /// <returns>Null when the header is missing or cannot be read.</returns>
    public static string? BasicCredentials(HttpRequest request)
    {
        var encoded = After("Basic ", request);
        var decoded = new byte[encoded?.Length ?? 0];
        return encoded is not null && Convert.TryFromBase64String(encoded, decoded, out var length)
            ? Encoding.UTF8.GetString(decoded, 0, length)
            : null;
    }

    private static string? After(string scheme, HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? header[scheme.Length..].Trim() : null;
    }
}
