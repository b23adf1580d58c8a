using Microsoft.AspNetCore.Http;
using Runbooks.Web.Http;

namespace Runbooks.Web.SignIn;

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
