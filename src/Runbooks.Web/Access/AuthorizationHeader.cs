using System.Text;
using Microsoft.AspNetCore.Http;

namespace Runbooks.Web.Access;

/// <summary>The two forms of <c>Authorization</c> that are read here (RFC 6750 and RFC 7617).</summary>
internal static class AuthorizationHeader
{
    /// <returns>Null when there is none.</returns>
    public static string? BearerToken(HttpRequest request) => After("Bearer ", request);

    /// <summary>What a browser sends that asked for a name and a password: <c>name:password</c>.</summary>
    /// <returns>Null when there is none, or it cannot be read.</returns>
    public static string? BasicCredentials(HttpRequest request)
    {
        var encoded = After("Basic ", request);
        var decoded = new byte[encoded?.Length ?? 0];
        return encoded is not null && Convert.TryFromBase64String(encoded, decoded, out var length) ? Encoding.UTF8.GetString(decoded, 0, length) : null;
    }

    private static string? After(string scheme, HttpRequest request) =>
        request.Headers.Authorization.ToString() is var header && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? header[scheme.Length..].Trim() : null;
}
