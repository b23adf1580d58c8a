using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Runbooks.Web.Http;

/// <summary>Checks the key of a request, in constant time, where the platform does not do it.</summary>
public sealed class ApiKeyAuthentication(IOptionsMonitor<ApiKeyOptions> options)
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

/// <summary>Puts the key check before endpoints of a host that checks keys itself.</summary>
internal static class ApiKeyFilters
{
    public static TBuilder NeedsKey<TBuilder>(this TBuilder endpoints, bool allowQuery = false)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (Gate(http).AllowsApi(http.Request, allowQuery))
            {
                return await next(context);
            }

            http.Response.Headers.WWWAuthenticate = "Bearer";
            return ApiResults.Problem(StatusCodes.Status401Unauthorized, "A key is needed: send it as X-Api-Key, or as Authorization: Bearer.");
        });

    public static TBuilder NeedsPageKey<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (Gate(http).AllowsPage(http.Request))
            {
                return await next(context);
            }

            PageHeaders.Write(http.Response);
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"Runbooks: any name, the API key as password\", charset=\"UTF-8\"";
            return Results.Text("The console needs the API key: give it as the password, with any name.", statusCode: StatusCodes.Status401Unauthorized);
        });

    private static ApiKeyAuthentication Gate(HttpContext http) => http.RequestServices.GetRequiredService<ApiKeyAuthentication>();
}

/// <summary>Who may use the API of a host that checks keys itself.</summary>
public sealed class ApiKeyOptions
{
    public const string SectionName = "ApiKeys";

    /// <summary>Any of these opens the API; with none, nothing does. At least 24 random characters each: <c>openssl rand -hex 32</c>.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>The console opens without a key for a browser on this very machine: practice.</summary>
    public bool OpenPagesOnLoopback { get; set; }
}

/// <summary>
/// Razor components bring data protection along, which would write keys to the home folder at the start. Nothing here is
/// protected with them: a form carries a signed token or a key, and <see cref="SameOrigin"/> tells whose form it is. So
/// they live in memory and are stored nowhere.
/// </summary>
internal sealed class EphemeralKeys : IXmlRepository
{
    private readonly ConcurrentQueue<XElement> _keys = new();

    public static void Use(KeyManagementOptions options)
    {
        options.XmlRepository = new EphemeralKeys();

        // What is never stored needs no encryption; saying so keeps the start quiet.
        options.XmlEncryptor = new NullXmlEncryptor();
    }

    public IReadOnlyCollection<XElement> GetAllElements() => [.. _keys];

    public void StoreElement(XElement element, string friendlyName) => _keys.Enqueue(element);
}
