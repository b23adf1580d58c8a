using Microsoft.AspNetCore.Http;
using Runbooks.Web.Decisions;
using Runbooks.Web.Http;

namespace Runbooks.Web.SignIn;

/// <summary>
/// Approval links of a host behind a platform. Where people sign in, a link alone decides nothing: whoever presses has to be
/// signed in, and has to be whom the link was sent to. Where nobody does, it speaks for its recipient.
/// </summary>
public sealed class LinkAccess(PlatformPrincipal principal, DecidePageHandler page)
{
    /// <param name="inPath">The token where it stands in the path, as in links that were sent before it went into the query.</param>
    public Task<IResult> GetAsync(HttpRequest request, string? inPath) =>
        IsUnknown(request) ? Task.FromResult(SignInPage.For(request)) : page.GetAsync(request, TokenOf(request, inPath));

    /// <inheritdoc cref="GetAsync"/>
    public Task<IResult> PostAsync(HttpRequest request, string? inPath) =>
        IsUnknown(request) ? Task.FromResult(page.NotSignedIn()) : page.PostAsync(request, TokenOf(request, inPath));

    private static string TokenOf(HttpRequest request, string? inPath) => inPath ?? request.Query["token"].ToString();

    /// <summary>Whether somebody would have to sign in; whoever has stands on the request.</summary>
    private bool IsUnknown(HttpRequest request)
    {
        var actor = principal.Find(request);
        actor?.EnterWith(request);
        return principal.IsTrusted && actor is null;
    }
}

/// <summary>The platform's own page, and back from there.</summary>
internal static class SignInPage
{
    public static IResult For(HttpRequest request)
    {
        PageHeaders.Write(request.HttpContext.Response);
        return new SeeOther($"/.auth/login/aad?post_login_redirect_uri={Uri.EscapeDataString($"{request.Path}{request.QueryString}")}", StatusCodes.Status302Found);
    }
}
