using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Runbooks.Web.Decisions;
using Runbooks.Web.Http;

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

/// <summary>
/// Who may open the console of a host that lets every browser through: whoever the platform has signed in, or whoever
/// gives the console's key as the password that the browser asks for. With neither configured, nobody.
/// </summary>
public sealed class ConsoleAccess(PlatformPrincipal principal, ApiKeyAuthentication keys)
{
    public async Task<IResult> GuardAsync(HttpRequest request, Func<Task<IResult>> page)
    {
        if (principal.NameOf(request) is not null || keys.AllowsPage(request))
        {
            return await page();
        }

        if (principal.IsTrusted && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)))
        {
            return SignInPage.For(request);
        }

        PageHeaders.Write(request.HttpContext.Response);
        request.HttpContext.Response.Headers.WWWAuthenticate = "Basic realm=\"Runbooks: any name, the console's key as password\", charset=\"UTF-8\"";
        return Results.Text("The console needs its key: give it as the password, with any name.", statusCode: StatusCodes.Status401Unauthorized);
    }
}

/// <summary>
/// Approval links of a host behind a platform. Where people sign in, a link alone decides nothing: whoever presses has to be
/// signed in, and has to be whom the link was sent to. Where nobody does, it speaks for its recipient.
/// </summary>
public sealed class LinkAccess(PlatformPrincipal principal, DecidePageHandler page)
{
    public Task<IResult> GetAsync(HttpRequest request, string token) =>
        principal.IsTrusted && principal.NameOf(request) is null
            ? Task.FromResult(SignInPage.For(request))
            : page.GetAsync(request, token);

    public Task<IResult> PostAsync(HttpRequest request, string token)
    {
        var name = principal.NameOf(request);
        return principal.IsTrusted && name is null ? Task.FromResult(page.NotSignedIn()) : page.PostAsync(request, token, name);
    }
}

/// <summary>The platform's own page, and back from there.</summary>
internal static class SignInPage
{
    public static IResult For(HttpRequest request)
    {
        var response = request.HttpContext.Response;
        PageHeaders.Write(response);

        // By hand: the framework's own result would write the address, and so the token in it, to the log.
        response.Headers.Location = $"/.auth/login/aad?post_login_redirect_uri={Uri.EscapeDataString($"{request.Path}")}";
        return Results.StatusCode(StatusCodes.Status302Found);
    }
}
