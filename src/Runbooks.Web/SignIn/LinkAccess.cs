using Microsoft.AspNetCore.Http;
using Runbooks.Web.Decisions;

namespace Runbooks.Web.SignIn;

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
