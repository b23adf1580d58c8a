using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Runbooks.Web.SignIn;

/// <summary>The person that App Service Authentication has signed in (its header <c>X-MS-CLIENT-PRINCIPAL</c>).</summary>
public sealed class PlatformPrincipal(IOptionsMonitor<SignInOptions> options)
{
    private const string Header = "X-MS-CLIENT-PRINCIPAL";
    private const int MaxHeader = 64 * 1024;
    private const int MaxName = 200;

    /// <summary>Claims that name a person, the most telling first.</summary>
    private static readonly string[] s_names =
    [
        "preferred_username", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "email", "name",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    ];

    public bool IsTrusted => options.CurrentValue.TrustPlatformPrincipal;

    /// <returns>Null when nobody is signed in, or when the platform is not to be believed.</returns>
    public string? NameOf(HttpRequest request)
    {
        if (!IsTrusted || request.Headers[Header].ToString() is not { Length: > 0 and <= MaxHeader } encoded)
        {
            return null;
        }

        try
        {
            var claims = JsonSerializer.Deserialize<Principal>(Convert.FromBase64String(encoded), JsonSerializerOptions.Web)?.Claims ?? [];
            return s_names.Select(name => claims.FirstOrDefault(claim => claim.Typ == name)?.Val)
                .FirstOrDefault(value => value is { Length: > 0 and <= MaxName } && !string.IsNullOrWhiteSpace(value))?.Trim();
        }
        catch (Exception unreadable) when (unreadable is FormatException or JsonException)
        {
            return null;
        }
    }

    private sealed record Principal(IReadOnlyList<Claim>? Claims);

    private sealed record Claim(string? Typ, string? Val);
}
