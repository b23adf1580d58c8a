using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Runbooks.Web.Http;

/// <summary>Checks the key of a request, in constant time, where the platform does not do it.</summary>
public sealed class ApiKeyGate(IOptionsMonitor<ApiKeyOptions> options)
{
    private const string BearerScheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    /// <param name="allowQuery">Whether <c>?code=</c> counts: only where a sender can set no header.</param>
    public bool AllowsApi(HttpRequest request, bool allowQuery)
    {
        var authorization = request.Headers.Authorization.ToString();
        return IsKey(request.Headers["X-Api-Key"].ToString())
            || (authorization.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase) && IsKey(authorization[BearerScheme.Length..].Trim()))
            || (allowQuery && IsKey(request.Query["code"].ToString()));
    }

    /// <summary>Pages take the key as the password that a browser asks for; the name beside it is free.</summary>
    public bool AllowsPage(HttpRequest request) =>
        AllowsApi(request, allowQuery: false) || IsKey(BasicPassword(request)) || (options.CurrentValue.OpenPagesOnLoopback && IsLocal(request));

    /// <summary>The host name is looked at too: a page elsewhere may point a name of its own at this machine.</summary>
    private static bool IsLocal(HttpRequest request) =>
        request.HttpContext.Connection.RemoteIpAddress is { } address
        && IPAddress.IsLoopback(address)
        && (request.Host.Host == "localhost" || (IPAddress.TryParse(request.Host.Host, out var host) && IPAddress.IsLoopback(host)));

    private bool IsKey(string given)
    {
        if (given.Length is 0 or > 512)
        {
            return false;
        }

        // Hashes have one length, and every key is compared: neither length nor place of a key shows in time.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(given));
        var found = false;
        foreach (var key in options.CurrentValue.Keys)
        {
            found |= key.Length > 0 & CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(key)), hash);
        }

        return found;
    }

    private static string BasicPassword(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        var decoded = new byte[authorization.Length];
        if (!authorization.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase)
            || !Convert.TryFromBase64String(authorization[BasicScheme.Length..].Trim(), decoded, out var length))
        {
            return "";
        }

        var text = Encoding.UTF8.GetString(decoded, 0, length);
        return text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }
}
