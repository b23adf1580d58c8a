using Microsoft.AspNetCore.Http;
using Runbooks.Web.Http;

namespace Runbooks.Web.SignIn;

/// <summary>
/// Who may open the console of a host that lets every browser through: whoever the platform has signed in, or whoever
/// gives the console's key as the password that the browser asks for. With neither configured, nobody.
/// </summary>
public sealed class ConsoleAccess(PlatformPrincipal principal, ApiKeyGate keys)
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
